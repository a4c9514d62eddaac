using System.Globalization;

namespace Ash.Client.Events;

/// <summary>A place in a session's log: row <c>N</c>, or one of the frames before its last, <c>N.k</c>.</summary>
/// <remarks>The frames of a row are <c>N.1</c>, <c>N.2</c> … and at last <c>N</c> itself.</remarks>
internal readonly record struct EventCursor(long Row, int Frame) : IComparable<EventCursor>
{
    private const int LastFrame = int.MaxValue;

    public static bool TryParse(string? text, out EventCursor cursor)
    {
        cursor = default;
        var parts = text.AsSpan();
        var dot = parts.IndexOf('.');
        var frame = LastFrame;

        if (dot >= 0 && !int.TryParse(parts[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out frame))
        {
            return false;
        }

        if (!long.TryParse(dot < 0 ? parts : parts[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var row))
        {
            return false;
        }

        cursor = new EventCursor(row, frame);
        return true;
    }

    public int CompareTo(EventCursor other) =>
        Row == other.Row ? Frame.CompareTo(other.Frame) : Row.CompareTo(other.Row);
}
