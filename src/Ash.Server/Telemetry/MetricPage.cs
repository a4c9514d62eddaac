using System.Diagnostics.Metrics;
using System.Text;

namespace Ash.Server.Telemetry;

/// <summary>The server's figures in Prometheus' text form. Listens to the meter from the start on; a scrape asks memory alone.</summary>
internal sealed class MetricPage : IDisposable
{
    private readonly Lock _gate = new();
    private readonly MeterListener _listener = new();
    private readonly List<MetricFamily> _families = [];

    /// <param name="metrics">With all the instruments that the page is to have.</param>
    public MetricPage(ServerMetrics metrics)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == metrics.Meter)
            {
                var family = new MetricFamily(instrument);
                _families.Add(family);
                listener.EnableMeasurementEvents(instrument, family);
            }
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, labels, family) => ((MetricFamily)family!).Record(value, labels)); // Enabled with one.
        _listener.SetMeasurementEventCallback<double>(static (_, value, labels, family) => ((MetricFamily)family!).Record(value, labels)); // As above.
        _listener.Start();
        _families.Sort(static (one, other) => string.CompareOrdinal(one.Name, other.Name));
    }

    public string Write()
    {
        lock (_gate)
        {
            _listener.RecordObservableInstruments();
            var text = new StringBuilder();
            foreach (var family in _families)
            {
                text.Append(text.Length > 0 ? "\n" : "");
                family.Write(text);
            }

            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();
}
