using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Ash.Runner.Tests.Bundles;

/// <summary>A bundle that a test makes, entry by entry.</summary>
internal sealed class TestBundle
{
    private readonly MemoryStream _archive = new();

    public static byte[] Gzip(ReadOnlySpan<byte> bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }

    public TestBundle Add(string path, string content, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite) =>
        Add(new GnuTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)), Mode = mode });

    public TestBundle Add(TarEntryType type, string path, string? target = null)
    {
        var entry = new GnuTarEntry(type, path);
        if (target is not null)
        {
            entry.LinkName = target;
        }

        return Add(entry);
    }

    public TestBundle Add(TarEntry entry)
    {
        using var writer = new TarWriter(_archive, entry.Format, leaveOpen: true);
        var start = _archive.Position;
        writer.WriteEntry(entry);
        var end = _archive.Position;

        // The writer ends the archive as it goes; the next entry is written over that.
        writer.Dispose();
        _archive.Position = end;
        Assert.True(end > start);
        return this;
    }

    /// <summary>A header that claims whatever the test wants, without content.</summary>
    public TestBundle AddClaim(char type, string path, long size)
    {
        var block = new byte[512];
        Encoding.UTF8.GetBytes(path, block);
        Encoding.ASCII.GetBytes("0000644\0", block.AsSpan(100));
        Encoding.ASCII.GetBytes(Convert.ToString(size, 8).PadLeft(11, '0') + "\0", block.AsSpan(124));
        Encoding.ASCII.GetBytes("00000000000\0        ", block.AsSpan(136));
        block[156] = (byte)type;
        Encoding.ASCII.GetBytes("ustar\0" + "00", block.AsSpan(257));
        Encoding.ASCII.GetBytes(Convert.ToString(block.Sum(b => b), 8).PadLeft(6, '0') + "\0 ", block.AsSpan(148));
        _archive.Write(block);
        return this;
    }

    public TestBundle AddRaw(ReadOnlySpan<byte> bytes)
    {
        _archive.Write(bytes);
        return this;
    }

    public byte[] ToArray()
    {
        _archive.SetLength(_archive.Position);
        _archive.Write(new byte[1024]);
        return Gzip(_archive.ToArray());
    }
}
