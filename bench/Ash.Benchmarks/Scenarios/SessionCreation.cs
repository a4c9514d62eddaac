using System.Diagnostics;

namespace Ash.Benchmarks.Scenarios;

/// <summary>A session with its sandbox and bridge ready, one after another.</summary>
internal sealed class SessionCreation : IScenario
{
    public string Name => "create";

    public async Task<IReadOnlyList<Figure>> RunAsync()
    {
        await using var server = await BenchServer.StartAsync();
        var created = await BenchServer.TimeAsync(100, warmUp: 10, _ => server.CreateAsync());
        var floor = await BenchServer.TimeAsync(50, warmUp: 5, _ => SpawnBubblewrapAsync());
        return [Figure.Of("session create, cold, sandbox and bridge ready", "ms", created) with { Floor = Figure.Of("", "", floor).P50, Target = 30 }];
    }

    private static async Task SpawnBubblewrapAsync()
    {
        using var process = Process.Start("bwrap", ["--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "/usr/bin/true"]);
        await process.WaitForExitAsync();
    }
}
