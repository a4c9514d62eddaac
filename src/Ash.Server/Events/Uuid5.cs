using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Ash.Server.Events;

/// <summary>Ids that follow from a name, RFC 9562 section 5.5: the same name has the same id, always and everywhere.</summary>
internal static class Uuid5
{
    private const int MaxStackBytes = 256;

    [SuppressMessage("Security", "CA5350", Justification = "The RFC demands SHA-1; nothing is protected by it.")]
    public static Guid Create(Guid space, ReadOnlySpan<byte> name)
    {
        var length = 16 + name.Length;
        var input = length <= MaxStackBytes ? stackalloc byte[MaxStackBytes] : new byte[length];
        space.TryWriteBytes(input, bigEndian: true, out _);
        name.CopyTo(input[16..]);

        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(input[..length], hash);
        hash[6] = (byte)((hash[6] & 0x0f) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new(hash[..16], bigEndian: true);
    }

    /// <summary>The id of what is derived from a row: its message has index 0, its entries of the timeline 1, 2, 3 ….</summary>
    public static Guid OfRow(Guid session, long seq, int index)
    {
        Span<byte> name = stackalloc byte[64];
        System.Text.Unicode.Utf8.TryWrite(name, $"{seq}.{index}", out var length);
        return Create(session, name[..length]);
    }
}
