using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Ash.Benchmarks.Scenarios;

/// <summary>What an event allocates on the server, step by step, and how long each step takes.</summary>
internal sealed class Allocations : IScenario
{
    public string Name => "allocations";

    public Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var artifacts = Directory.CreateTempSubdirectory("ash-bench-").FullName;

        // In this process: a project of its own for each run would have to know how this repository is built.
        var config = ManualConfig.CreateEmpty()
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddLogger(NullLogger.Instance)
            .WithArtifactsPath(artifacts)
            .AddJob((effort.Share < 1 ? Job.ShortRun : Job.Default).WithToolchain(InProcessEmitToolchain.Instance));
        var summary = BenchmarkRunner.Run<HotPath>(config);
        Directory.Delete(artifacts, recursive: true);
        IReadOnlyList<Figure> figures =
        [
            .. summary.Reports.SelectMany(report =>
            {
                var what = report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\'');
                var statistics = report.ResultStatistics
                    ?? throw new InvalidOperationException($"{what} was not measured: {string.Join('\n', summary.ValidationErrors)}");
                return new[]
                {
                    Figure.Single(what, "B allocated an event", report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0),
                    Figure.Single("…", "µs", statistics.Median / 1000) with { N = statistics.N },
                };
            }),
        ];
        return Task.FromResult(figures);
    }
}
