using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ash.Runner.Sandboxes;
using Ash.Testing;

namespace Ash.Benchmarks;

/// <summary>The figures of one run, with the machine that they are of: a table on the console, JSON in <c>bench/results</c>.</summary>
internal sealed class Report(string name, Effort effort)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,

        // For people to read, and no page shows it.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly DateTimeOffset _begun = DateTimeOffset.UtcNow;
    private readonly List<Figure> _figures = [];

    public void Add(IEnumerable<Figure> figures) => _figures.AddRange(figures);

    public void Print()
    {
        Console.WriteLine("\n| What | p50 | p95 | p99 | n | floor | ratio | target | |\n|---|---|---|---|---|---|---|---|---|");
        foreach (var figure in _figures)
        {
            Console.WriteLine(
                $"| {figure.What} | {Figure.Text(figure.P50)} {figure.Unit} | {Figure.Text(figure.P95)} | {Figure.Text(figure.P99)} | {figure.N:N0} "
                + $"| {string.Join(' ', new[] { figure.FloorIs, Figure.Text(figure.Floor) }.Where(text => !string.IsNullOrEmpty(text)))} "
                + $"| {Figure.Text(figure.Ratio)} | {figure.TargetText} | {figure.Verdict} |");
        }
    }

    public void Save()
    {
        var folder = Path.Combine(TestPaths.Root, "bench", "results");
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"{name}.json");
        var run = new
        {
            Name = name,
            At = _begun,
            Seconds = Math.Round((DateTimeOffset.UtcNow - _begun).TotalSeconds),
            Effort = effort.Share,
            Machine.Commit,
            ClaudeCode = PinnedCli.Version,
            Machine.Processor,
            Cores = Environment.ProcessorCount,
            Machine.MemoryMb,
            System = RuntimeInformation.OSDescription,
            Machine.Kernel,
            Runtime = RuntimeInformation.FrameworkDescription,
            Figures = _figures,
        };
        File.WriteAllText(path, JsonSerializer.Serialize(run, Options) + "\n");
        Console.WriteLine($"\nsaved as {Path.GetRelativePath(TestPaths.Root, path)}");
    }
}
