using Ash.EndToEnd.Tests.Faults;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Capacity;

/// <summary>Sandboxes that wait for a session, with the real CLI started in them.</summary>
public sealed class WarmStartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact(Timeout = 120_000)]
    public async Task ClaimedSandbox_ServesItsSession_AndHoldsNothingOfAnother()
    {
        const string Canary = "canary-of-the-first";
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_WARM_SANDBOXES"] = "1" },
        });
        var first = await server.CreateSessionAsync("You are warm.");
        await WaitForWarmAsync(server);
        await server.PlayAsync(first.Id, $$$$"""[{"tool":{"name":"Bash","input":{"command":"echo {{{{Canary}}}} | tee here.txt ~/there.txt /tmp/gone.txt","description":"d"}}},{"text":"{{{{Canary}}}}"}]""");

        var second = await server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = first.AgentName });
        var process = Assert.Single(server.ProcessesOf(second.Id), process => process.Name == "claude");
        var turn = await server.SendAsync(second.Id, "hello");

        Assert.Equal(1, (await server.Client.GetHealthAsync()).Pool.PreWarmHits);
        Assert.Equal("[Mock] Turn 1 | History: hello", turn.Result);
        Assert.Equal(process.Pid, Assert.Single(server.ProcessesOf(second.Id), process => process.Name == "claude").Pid);
        var own = await server.ExecAsync(second.Id, "echo $ASH_SESSION_ID; id -u; ls -A /workspace; grep -rsl canary / --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr --exclude-dir=opt; cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c canary");
        Assert.StartsWith($"{second.Id}\n", own.Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain(".txt", own.Stdout, StringComparison.Ordinal);
        Assert.EndsWith("\n0\n", own.Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, server.Model.Requests[^1].Body.ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task WhatWaits_IsGone_WithTheServer()
    {
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_WARM_SANDBOXES"] = "1" },
        });
        var session = await server.CreateSessionAsync();
        await WaitForWarmAsync(server);
        Assert.Equal(2, SandboxesOf(server));

        await server.KillAsync();
        await server.StartAgainAsync();

        Assert.Equal("[Mock] Turn 1 | History: still here", (await server.SendAsync(session.Id, "still here")).Result);
        using var patience = new CancellationTokenSource(Patience);
        while (SandboxesOf(server) > 1)
        {
            await Task.Delay(50, patience.Token);
        }

        Assert.Single(Directory.EnumerateDirectories(Path.Combine(server.DataDirectory, "workspaces")));
    }

    private static int SandboxesOf(AshServer server) => server.Processes().Select(process => process.Sandbox).Distinct().Count();

    private static Task WaitForWarmAsync(AshServer server) => server.WaitUntilAsync(health => health.Pool.Warm > 0);
}
