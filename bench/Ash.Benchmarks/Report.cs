using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Ash.Benchmarks;

/// <summary>The figures of one run, with the machine that they are of: a table on the console, JSON in <c>bench/results</c>.</summary>
internal sealed class Report(string name)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private readonly List<Figure> _figures = [];

    public void Add(IEnumerable<Figure> figures) => _figures.AddRange(figures);

    public void Print()
    {
        Console.WriteLine($"\n| What | p50 | p95 | p99 | n | floor | target | |\n|---|---|---|---|---|---|---|---|");
        foreach (var figure in _figures)
        {
            Console.WriteLine(
                $"| {figure.What} | {Text(figure.P50)} {figure.Unit} | {Text(figure.P95)} | {Text(figure.P99)} | {figure.N} | {Text(figure.Floor)} "
                + $"| {Text(figure.Target)} | {figure.IsMet switch { true => "met", false => "missed", null => "" }} |");
        }
    }

    public void Save()
    {
        var folder = Path.Combine(Machine.Repository, "bench", "results");
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{name}.json");
        var run = new
        {
            Name = name,
            At = DateTimeOffset.UtcNow,
            Processor = Machine.Processor,
            Cores = Environment.ProcessorCount,
            MemoryMb = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1048576,
            Kernel = RuntimeInformation.OSDescription,
            Runtime = RuntimeInformation.FrameworkDescription,
            Figures = _figures,
        };
        File.WriteAllText(path, JsonSerializer.Serialize(run, Options) + "\n");
        Console.WriteLine($"\nsaved as {Path.GetRelativePath(Machine.Repository, path)}");
    }

    private static string Text(double? value) => value is { } number
        ? number.ToString(Math.Abs(number) >= 100 ? "N0" : Math.Abs(number) >= 10 ? "N1" : "N2", CultureInfo.InvariantCulture)
        : "";
}
