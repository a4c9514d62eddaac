namespace Ash.Server.Events;

/// <summary>The rows of one commit, rendered once for everybody. Never changes.</summary>
/// <param name="previousSeq">The last row before it: whoever has come that far may read on here.</param>
/// <param name="rows">Ascending, at least one.</param>
/// <param name="bytes">The frames of all rows, one row after the other.</param>
internal sealed class TailSegment(long previousSeq, TailRow[] rows, byte[] bytes)
{
    private const int BytesPerRow = 48;
    private const int BytesPerSegment = 128;

    public long PreviousSeq => previousSeq;
    public long LastSeq => rows[^1].Seq;
    public ReadOnlySpan<TailRow> Rows => rows;

    /// <summary>What it takes of memory, about.</summary>
    public int Size => bytes.Length + rows.Length * BytesPerRow + BytesPerSegment;

    /// <summary>The frames of some rows, from <paramref name="first"/> to before <paramref name="end"/>.</summary>
    public ReadOnlySpan<byte> Bytes(int first, int end)
    {
        var start = first == 0 ? 0 : rows[first - 1].End;
        return bytes.AsSpan(start, rows[end - 1].End - start);
    }

    /// <summary>The index of the first row after <paramref name="seq"/>.</summary>
    public int IndexAfter(long seq)
    {
        var (low, high) = (0, rows.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (rows[middle].Seq <= seq)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}

/// <param name="Seq">The row.</param>
/// <param name="End">Where its frames end.</param>
/// <param name="Flags">What a filter must know.</param>
/// <param name="IsAbsent">Its frames were too long to be kept; whoever wants them reads the row from the store.</param>
/// <param name="TurnId">Its turn.</param>
internal readonly record struct TailRow(long Seq, int End, EventFlags Flags, bool IsAbsent, Guid? TurnId);
