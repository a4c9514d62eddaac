using System.Globalization;
using System.Text;

namespace Ash.Server.Telemetry;

/// <summary>The figure of one set of labels: a sum, or a histogram's counts.</summary>
/// <param name="labels">As they are written, without braces.</param>
/// <param name="bounds">The upper bounds of a histogram's buckets, in ascending order; null for a plain figure.</param>
internal sealed class MetricPoint(string labels, IReadOnlyList<double>? bounds)
{
    private readonly long[]? _counts = bounds is null ? null : new long[bounds.Count + 1];
    private double _sum;
    private int _isUsed;

    /// <summary>Whether anything was recorded; a counter without labels is there from the start.</summary>
    public bool IsUsed => Volatile.Read(ref _isUsed) != 0;

    public void Set(double value)
    {
        Volatile.Write(ref _sum, value);
        Use();
    }

    public void Add(double value)
    {
        if (_counts is not null)
        {
            Interlocked.Increment(ref _counts[BucketOf(value)]);
        }

        double before;
        do
        {
            before = Volatile.Read(ref _sum);
        }
        while (!before.Equals(Interlocked.CompareExchange(ref _sum, before + value, before)));
        Use();
    }

    public void Write(StringBuilder text, string name)
    {
        var plain = labels.Length > 0 ? $"{{{labels}}}" : string.Empty;
        if (_counts is null)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}{plain} {Volatile.Read(ref _sum)}\n");
            return;
        }

        // What is recorded meanwhile may be missing from the sum; the count is that of the buckets, always.
        var separator = labels.Length > 0 ? "," : string.Empty;
        var count = 0L;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            count += Volatile.Read(ref _counts[bucket]);
            var bound = bucket < bounds!.Count ? bounds[bucket].ToString(CultureInfo.InvariantCulture) : "+Inf"; // Counts come with bounds.
            text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{{{labels}{separator}le=\"{bound}\"}} {count}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"{name}_sum{plain} {Volatile.Read(ref _sum)}\n{name}_count{plain} {count}\n");
    }

    private void Use()
    {
        if (_isUsed == 0)
        {
            Volatile.Write(ref _isUsed, 1);
        }
    }

    private int BucketOf(double value)
    {
        var bucket = 0;
        while (bucket < bounds!.Count && value > bounds[bucket]) // Asked of histograms alone.
        {
            bucket++;
        }

        return bucket;
    }
}
