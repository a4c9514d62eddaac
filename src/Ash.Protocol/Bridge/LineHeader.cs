using System.Buffers.Text;

namespace Ash.Protocol.Bridge;

/// <summary>The header that nearly all frames have, in the one form in which Ash's bridge writes it; it is JSON like all others.</summary>
internal static class LineHeader
{
    private static ReadOnlySpan<byte> Type => "{\"type\":\"line\",\"process\":"u8;

    private static ReadOnlySpan<byte> Bytes => ",\"bytes\":"u8;

    private static ReadOnlySpan<byte> Number => ",\"n\":"u8;

    /// <summary>Null where the header is another, or is written in another way: whoever reads JSON has to read it.</summary>
    /// <param name="header">Without its line end.</param>
    public static CliLine? TryParse(ReadOnlySpan<byte> header) =>
        TryTake(ref header, Type)
        && TryTakeNumber(ref header, out int process)
        && TryTake(ref header, Bytes)
        && TryTakeNumber(ref header, out int bytes)
        && TryTake(ref header, Number)
        && TryTakeNumber(ref header, out long number)
        && header.SequenceEqual("}"u8)
            ? new CliLine(process, bytes) { Number = number }
            : null;

    private static bool TryTake(ref ReadOnlySpan<byte> rest, ReadOnlySpan<byte> expected)
    {
        if (!rest.StartsWith(expected))
        {
            return false;
        }

        rest = rest[expected.Length..];
        return true;
    }

    private static bool TryTakeNumber(ref ReadOnlySpan<byte> rest, out int value)
    {
        var isNumber = TryTakeNumber(ref rest, out long number) && number <= int.MaxValue;
        value = isNumber ? (int)number : 0;
        return isNumber;
    }

    /// <summary>Digits alone, as JSON has them: signs and leading zeros are left to the general reader, which refuses or accepts them.</summary>
    private static bool TryTakeNumber(ref ReadOnlySpan<byte> rest, out long value)
    {
        if (rest.IsEmpty || rest[0] is < (byte)'1' or > (byte)'9' || !Utf8Parser.TryParse(rest, out value, out var length))
        {
            value = 0;
            return false;
        }

        rest = rest[length..];
        return true;
    }
}
