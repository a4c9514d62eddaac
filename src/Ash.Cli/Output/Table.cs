namespace Ash.Cli.Output;

/// <summary>Items as people read them: one a line, below the names of the columns.</summary>
internal sealed class Table<T>(params IReadOnlyList<Column<T>> columns)
{
    private const int MaxCell = 120;
    private const string Gap = "  ";

    /// <param name="items">One a line.</param>
    /// <param name="paint">Colours a text, where colours are shown.</param>
    public IEnumerable<string> Lines(IReadOnlyList<T> items, Func<string, Colour, string> paint)
    {
        var rows = items.Select(item => columns.Select(column => TerminalText.Line(column.Text(item), MaxCell)).ToArray()).ToList();
        var widths = columns
            .Select((column, place) => rows.Select(row => TerminalText.Width(row[place])).Append(column.Header.Length).Max())
            .ToArray();

        yield return Join(widths, columns.Select(column => column.Header).ToArray(), _ => Colour.Strong, paint);

        for (var number = 0; number < rows.Count; number++)
        {
            var item = items[number];
            yield return Join(widths, rows[number], place => columns[place].Colour?.Invoke(item), paint);
        }
    }

    private string Join(int[] widths, string[] cells, Func<int, Colour?> colourOf, Func<string, Colour, string> paint)
    {
        var last = columns.Count - 1;
        var shown = cells.Select((cell, place) =>
        {
            var pad = new string(' ', widths[place] - TerminalText.Width(cell));
            var painted = colourOf(place) is { } colour ? paint(cell, colour) : cell;
            return columns[place].Right ? pad + painted : place == last ? painted : painted + pad;
        });
        return string.Join(Gap, shown);
    }
}
