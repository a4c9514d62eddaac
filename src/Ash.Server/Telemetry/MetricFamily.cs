using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Ash.Server.Telemetry;

/// <summary>One instrument's figures, by its labels. Recording takes no lock, and allocates for labels that are new alone.</summary>
internal sealed class MetricFamily
{
    private readonly ConcurrentDictionary<LabelValues, MetricPoint> _points = new();
    private readonly ConcurrentQueue<MetricPoint> _order = new();
    private readonly bool _isObserved;
    private readonly string _type;
    private readonly string _help;
    private readonly IReadOnlyList<double>? _bounds;
    private readonly MetricPoint _unlabelled;

    public MetricFamily(Instrument instrument)
    {
        _isObserved = instrument.IsObservable;
        _help = instrument.Description ?? string.Empty;
        _bounds = instrument switch
        {
            Histogram<double> histogram => histogram.Advice!.HistogramBucketBoundaries!, // Each of ours is made with its own.
            Histogram<long> histogram => [.. histogram.Advice!.HistogramBucketBoundaries!.Select(static bound => (double)bound)], // As above.
            _ => null,
        };
        _type = _bounds is not null ? "histogram"
            : instrument is Counter<long> or Counter<double> or ObservableCounter<long> or ObservableCounter<double> ? "counter"
            : "gauge";
        Name = MetricName.Of(instrument.Name, instrument.Unit, isCounter: _type == "counter");
        _unlabelled = new MetricPoint(string.Empty, _bounds);
    }

    public string Name { get; }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var point = labels.IsEmpty ? _unlabelled : Find(labels);
        if (_isObserved)
        {
            point.Set(value);
        }
        else
        {
            point.Add(value);
        }
    }

    public void Write(StringBuilder text)
    {
        text.Append(CultureInfo.InvariantCulture, $"# HELP {Name} {_help}\n# TYPE {Name} {_type}\n");
        if (_unlabelled.IsUsed)
        {
            _unlabelled.Write(text, Name);
        }

        foreach (var point in _order)
        {
            point.Write(text, Name);
        }
    }

    private MetricPoint Find(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var values = new LabelValues(labels);
        if (_points.TryGetValue(values, out var point))
        {
            return point;
        }

        var added = new MetricPoint(TextOf(labels), _bounds);
        point = _points.GetOrAdd(values, added);
        if (point == added)
        {
            _order.Enqueue(added);
        }

        return point;
    }

    private static string TextOf(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in labels)
        {
            var escaped = ((string)value!).Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n"); // Every label of ours is a text.
            text.Append(text.Length > 0 ? "," : "").Append(MetricName.Of(name)).Append("=\"").Append(escaped).Append('"');
        }

        return text.ToString();
    }
}
