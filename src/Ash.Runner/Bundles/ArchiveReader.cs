using System.Buffers;
using System.Text;

namespace Ash.Runner.Bundles;

/// <summary>Reads a tar archive (ustar, pax, GNU) that comes from outside, entry by entry, in a fixed amount of memory.</summary>
/// <remarks>
/// The framework's own reader takes an entry's claim of a gigabyte of names at its word and reads it into memory; here a claim
/// above <see cref="MaxNamesBytes"/> is refused.
/// </remarks>
/// <param name="stream">Read to the archive's end and not beyond; not owned.</param>
internal sealed class ArchiveReader(Stream stream) : IDisposable
{
    /// <summary>So long may be what is written down of one entry beside its header.</summary>
    public const int MaxNamesBytes = 64 * 1024;

    private const int BlockBytes = 512;
    private const long MaxContentBytes = 1L << 52;

    private readonly byte[] _block = new byte[BlockBytes];
    private readonly byte[] _skipped = ArrayPool<byte>.Shared.Rent(64 * 1024);
    private long _contentLeft;
    private int _padding;

    /// <summary>The next entry; null at the archive's end. What was not read of the one before is passed over.</summary>
    /// <exception cref="BundleException">It is no archive, or a damaged one.</exception>
    public async ValueTask<ArchiveEntry?> ReadNextAsync(CancellationToken cancellationToken)
    {
        string? path = null;
        string? target = null;
        long? size = null;
        while (true)
        {
            await PassOverAsync(_contentLeft + _padding, cancellationToken);
            (_contentLeft, _padding) = (0, 0);
            if (!await TryReadBlockAsync(cancellationToken))
            {
                return null;
            }

            var header = new ArchiveHeader(_block);
            if (!header.IsWhole)
            {
                throw BundleException.Invalid("not a tar archive, or a damaged one");
            }

            Begin(header.Size);
            switch (header.Type)
            {
                case 'x':
                    var said = PaxRecords.Parse(await ReadNamesAsync(cancellationToken));
                    (path, target, size) = (said.Path ?? path, said.Target ?? target, said.Size ?? size);
                    continue;
                case 'L':
                    path = TextOf(await ReadNamesAsync(cancellationToken));
                    continue;
                case 'K':
                    target = TextOf(await ReadNamesAsync(cancellationToken));
                    continue;
                case 'g':
                    continue;
            }

            if (size is { } actual)
            {
                Begin(actual);
            }

            return header.ToEntry(path, target, _contentLeft);
        }
    }

    /// <summary>Reads of the current entry's content; 0 at its end.</summary>
    /// <exception cref="BundleException">The archive ends within it.</exception>
    public async ValueTask<int> ReadContentAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_contentLeft == 0)
        {
            return 0;
        }

        var read = await stream.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _contentLeft)], cancellationToken);
        _contentLeft -= read;
        return read > 0 ? read : throw TooShort();
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_skipped);

    private void Begin(long size)
    {
        _contentLeft = size is >= 0 and <= MaxContentBytes ? size : throw BundleException.Invalid("an entry's size is none");
        _padding = (int)((BlockBytes - (size % BlockBytes)) % BlockBytes);
    }

    /// <returns>False at the end: a block of zeros, or nothing.</returns>
    private async ValueTask<bool> TryReadBlockAsync(CancellationToken cancellationToken)
    {
        var read = await stream.ReadAtLeastAsync(_block, BlockBytes, throwOnEndOfStream: false, cancellationToken);
        if (read is not (0 or BlockBytes))
        {
            throw TooShort();
        }

        return read > 0 && _block.AsSpan().ContainsAnyExcept((byte)0);
    }

    private async ValueTask<byte[]> ReadNamesAsync(CancellationToken cancellationToken)
    {
        if (_contentLeft > MaxNamesBytes)
        {
            throw BundleException.Invalid($"an entry has more than {MaxNamesBytes} bytes of names");
        }

        var names = new byte[_contentLeft];
        for (var filled = 0; filled < names.Length;)
        {
            filled += await ReadContentAsync(names.AsMemory(filled), cancellationToken);
        }

        return names;
    }

    private async ValueTask PassOverAsync(long bytes, CancellationToken cancellationToken)
    {
        while (bytes > 0)
        {
            var read = await stream.ReadAsync(_skipped.AsMemory(0, (int)Math.Min(_skipped.Length, bytes)), cancellationToken);
            bytes -= read > 0 ? read : throw TooShort();
        }
    }

    private static string TextOf(byte[] names) => Encoding.UTF8.GetString(names.AsSpan().TrimEnd((byte)0));

    private static BundleException TooShort() => BundleException.Invalid("it ends too soon");
}
