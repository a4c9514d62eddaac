using System.Buffers.Binary;
using System.Text;

namespace Ash.Runner.Bundles;

/// <summary>The 512 bytes before each entry of a tar archive.</summary>
internal readonly struct ArchiveHeader(byte[] block)
{
    private const int ModeBits = 0b111_111_111;
    private const long LastSecond = (1L << 33) - 1;
    private const int SumOffset = 148;
    private const int SumLength = 8;

    public char Type => (char)block[156];

    /// <summary>Of what follows, in bytes; negative where it is no number.</summary>
    public long Size => NumberAt(124, 12);

    /// <summary>Whether its sum is right.</summary>
    public bool IsWhole
    {
        get
        {
            var sum = (long)SumLength * ' ';
            for (var i = 0; i < block.Length; i++)
            {
                sum += i is >= SumOffset and < SumOffset + SumLength ? 0 : block[i];
            }

            return NumberAt(SumOffset, SumLength) == sum;
        }
    }

    /// <param name="path">What was said before the header; null where the header says it.</param>
    /// <param name="target">Likewise.</param>
    /// <param name="size">Of what follows.</param>
    public ArchiveEntry ToEntry(string? path, string? target, long size)
    {
        path ??= Path;
        var kind = Type switch
        {
            '0' or '7' => ArchiveEntryKind.File,

            // The oldest archives have no other sign of a folder.
            '\0' => path.EndsWith('/') ? ArchiveEntryKind.Folder : ArchiveEntryKind.File,
            '1' => ArchiveEntryKind.HardLink,
            '2' => ArchiveEntryKind.Link,
            '5' => ArchiveEntryKind.Folder,
            _ => ArchiveEntryKind.Other,
        };
        return new ArchiveEntry(
            kind, path, target ?? TextAt(157, 100), size, (UnixFileMode)(Math.Max(0, NumberAt(100, 8)) & ModeBits), ModifiedAt);
    }

    private string Path
    {
        get
        {
            var name = TextAt(0, 100);

            // GNU's own form has other things where the standard one has the beginning of a long path.
            var prefix = block.AsSpan(257, 6).SequenceEqual("ustar\0"u8) ? TextAt(345, 155) : string.Empty;
            return prefix.Length == 0 ? name : $"{prefix}/{name}";
        }
    }

    private DateTimeOffset ModifiedAt =>
        NumberAt(136, 12) is >= 0 and <= LastSecond and var seconds
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : DateTimeOffset.UnixEpoch;

    private string TextAt(int offset, int length)
    {
        var text = block.AsSpan(offset, length);
        return Encoding.UTF8.GetString(text.IndexOf((byte)0) is >= 0 and var end ? text[..end] : text);
    }

    /// <summary>Octal digits, or big-endian bytes behind a mark; -1 for anything else, and for what no <c>long</c>
    /// holds.</summary>
    private long NumberAt(int offset, int length)
    {
        const byte Marked = 0x80;
        var field = block.AsSpan(offset, length);
        if (field[0] >= Marked)
        {
            return field[0] == Marked && !field[1..^8].ContainsAnyExcept((byte)0) && length > 8
                ? BinaryPrimitives.ReadInt64BigEndian(field[^8..]) is >= 0 and var large ? large : -1
                : -1;
        }

        var number = 0L;
        foreach (var digit in field.Trim(" \0"u8))
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return -1;
            }

            number = (number * 8) + (digit - '0');
        }

        return number;
    }
}
