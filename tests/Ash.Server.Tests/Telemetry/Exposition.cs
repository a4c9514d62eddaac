using System.Globalization;
using System.Text.RegularExpressions;

namespace Ash.Server.Tests.Telemetry;

/// <summary>A page in Prometheus' text form, read by the letter: whatever is not as the form says fails.</summary>
internal sealed partial class Exposition
{
    private readonly Dictionary<string, (string Type, string Help)> _families = [];
    private readonly Dictionary<string, double> _samples = [];

    public IReadOnlyDictionary<string, (string Type, string Help)> Families => _families;

    /// <summary>By name and labels, as they are written.</summary>
    public IReadOnlyDictionary<string, double> Samples => _samples;

    public static async Task<Exposition> ReadAsync(HttpClient http) => new(await http.GetStringAsync("/metrics"));

    public Exposition(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (var group in text[..^1].Split("\n\n"))
        {
            ReadGroup(group.Split('\n'));
        }
    }

    public double Value(string sample) => _samples[sample];

    private void ReadGroup(string[] lines)
    {
        Assert.True(lines.Length >= 2);
        var help = Help().Match(lines[0]);
        var type = Type().Match(lines[1]);
        Assert.True(help.Success, lines[0]);
        Assert.True(type.Success, lines[1]);
        var name = help.Groups["name"].Value;
        var kind = type.Groups["type"].Value;
        Assert.Equal(name, type.Groups["name"].Value);
        Assert.True(_families.TryAdd(name, (kind, help.Groups["text"].Value)), $"{name} is there twice");
        foreach (var line in lines[2..])
        {
            var sample = Sample().Match(line);
            Assert.True(sample.Success, line);
            var suffix = sample.Groups["name"].Value[name.Length..];
            Assert.StartsWith(name, sample.Groups["name"].Value, StringComparison.Ordinal);
            Assert.Contains(suffix, kind == "histogram" ? ["_bucket", "_sum", "_count"] : new[] { "" });
            Assert.True(_samples.TryAdd(sample.Groups["name"].Value + sample.Groups["labels"].Value, double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture)), line);
        }

        if (kind == "histogram")
        {
            CheckHistogram(name, lines[2..]);
        }
    }

    private void CheckHistogram(string name, string[] lines)
    {
        foreach (var series in lines.Where(line => line.StartsWith($"{name}_bucket", StringComparison.Ordinal)).GroupBy(static line => Bound().Replace(line[..line.LastIndexOf(' ')], "")))
        {
            var counts = series.Select(static line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(counts.Order(), counts);
            Assert.Contains("le=\"+Inf\"", series.Last(), StringComparison.Ordinal);
            var labels = series.Key[$"{name}_bucket".Length..].Replace("{}", "", StringComparison.Ordinal);
            Assert.Equal(counts[^1], _samples[$"{name}_count{labels}"]);
            Assert.True(_samples.ContainsKey($"{name}_sum{labels}"));
        }
    }

    [GeneratedRegex(@"^# HELP (?<name>[a-z_]+) (?<text>.+)$")]
    private static partial Regex Help();

    [GeneratedRegex(@"^# TYPE (?<name>[a-z_]+) (?<type>counter|gauge|histogram)$")]
    private static partial Regex Type();

    [GeneratedRegex("""^(?<name>[a-z_]+)(?<labels>\{[a-z_]+="([^"\\\n]|\\[\\"n])*"(,[a-z_]+="([^"\\\n]|\\[\\"n])*")*\})? (?<value>[-+0-9.E]+|\+Inf|NaN)$""")]
    private static partial Regex Sample();

    [GeneratedRegex(",?le=\"[^\"]+\"")]
    private static partial Regex Bound();
}
