namespace Ash.Server.Telemetry;

/// <summary>The values of up to four labels, which an instrument is always given in the same order.</summary>
internal readonly record struct LabelValues
{
    private readonly string? _first;
    private readonly string? _second;
    private readonly string? _third;
    private readonly string? _fourth;

    public LabelValues(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(labels.Length, 4);
        _first = TextAt(labels, 0);
        _second = TextAt(labels, 1);
        _third = TextAt(labels, 2);
        _fourth = TextAt(labels, 3);
    }

    private static string? TextAt(ReadOnlySpan<KeyValuePair<string, object?>> labels, int index) =>
        index < labels.Length ? (string?)labels[index].Value : null;
}
