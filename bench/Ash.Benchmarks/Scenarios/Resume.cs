namespace Ash.Benchmarks.Scenarios;

/// <summary>Resume of a paused session: with its sandbox, and after that has ended.</summary>
internal sealed class Resume : IScenario
{
    public string Name => "resume";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var alive = await MeasureAsync(effort.Times(200, least: 5), ("ASH_PAUSE_GRACE", "600"));
        var ended = await MeasureAsync(effort.Times(100, least: 5), ("ASH_PAUSE_GRACE", "0"));
        return
        [
            Figure.Of("resume of a paused session, sandbox alive", "ms", alive) with { Target = 3 },
            Figure.Of("resume of a paused session, sandbox ended before; before the CLI's own start", "ms", ended) with { Target = 50 },
        ];
    }

    private static async Task<double[]> MeasureAsync(int count, (string Name, string Value) grace)
    {
        await using var server = await BenchServer.StartAsync(grace);
        using var client = server.Connect();
        var session = (await server.CreateAsync()).Id;
        await server.SendAsync(session, "NODELAY");
        return await BenchServer.TimeAsync(count, warmUp: 20, ResumeAsync, PauseAsync);

        Task ResumeAsync()
        {
            client.Post($"/api/sessions/{session}/resume");
            return Task.CompletedTask;
        }

        async Task PauseAsync()
        {
            client.Post($"/api/sessions/{session}/pause");
            if (grace.Value == "0")
            {
                await server.WaitUntilAsync(health => health.ActiveSandboxes == 0);
            }
        }
    }
}
