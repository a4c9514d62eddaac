using System.Buffers.Text;
using System.Globalization;

namespace Ash.Server.Events;

/// <summary>How far a reader has come: the id of the last frame that it saw.</summary>
/// <param name="Seq">A row; 0 is before the first.</param>
/// <param name="Frame">How many frames of that row were seen; 0 means all of them. More than the row has counts as all.</param>
internal readonly record struct EventCursor(long Seq, int Frame = 0)
{
    public static EventCursor Start => default;

    /// <summary>The last row that was seen to its end.</summary>
    public long CompleteSeq => Frame == 0 ? Seq : Seq - 1;

    /// <summary>Reads <c>N</c> or <c>N.k</c>, as ids are written; anything else, leading zeros included, is false.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out EventCursor cursor)
    {
        cursor = default;
        var dot = text.IndexOf('.');
        if (!TryReadNumber(dot < 0 ? text : text[..dot], out var seq))
        {
            return false;
        }

        if (dot < 0)
        {
            cursor = new(seq);
            return true;
        }

        if (!TryReadNumber(text[(dot + 1)..], out var frame) || frame is 0 or > int.MaxValue || seq is 0)
        {
            return false;
        }

        cursor = new(seq, (int)frame);
        return true;
    }

    public override string ToString() =>
        Frame == 0 ? Seq.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{Seq}.{Frame}");

    /// <summary>Writes the id in at most <see cref="MaxBytes"/> bytes and returns how many it took.</summary>
    public int Format(Span<byte> destination)
    {
        Utf8Formatter.TryFormat(Seq, destination, out var length);
        if (Frame != 0)
        {
            destination[length++] = (byte)'.';
            Utf8Formatter.TryFormat(Frame, destination[length..], out var more);
            length += more;
        }

        return length;
    }

    public const int MaxBytes = 31;

    private static bool TryReadNumber(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        return text.Length > 0
            && (text.Length == 1 || text[0] != '0')
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
