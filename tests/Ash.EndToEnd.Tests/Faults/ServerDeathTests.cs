using Ash.Client;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>The server is killed, and the next one takes over what it left: sandboxes, running turns, viewers.</summary>
public sealed class ServerDeathTests : IAsyncLifetime
{
    private const int Limit = 900_000;
    private AshServer _server = null!; // Set before each test.

    public static TheoryData<Moment> Moments => [Moment.BeforeTheFirstByte, Moment.WithinADelta, Moment.WithinATool];

    public async ValueTask InitializeAsync() => _server = await AshServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory(Timeout = Limit), MemberData(nameof(Moments))]
    public async Task RunningTurn_GoesOn_AndItsViewerHasEveryByteOnce(Moment moment)
    {
        for (var i = 0; i < Repetitions.Count; i++)
        {
            await _server.Client.Sessions.EndAsync(await ServerDeath.LiveThroughAsync(_server, moment));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task TurnThatAnotherMessageJoined_EndsWithThatOnesAnswer()
    {
        var session = (await _server.CreateSessionAsync()).Id;
        var sending = _server.SendAsync(session, """first @@fake {"text":"one two","chunk":3,"gateAfterChunks":1,"gate":"joined"}""");
        await _server.Model.WaitUntilHeldAsync("joined", TestContext.Current.CancellationToken);
        var turn = (await _server.Client.Sessions.GetAsync(session)).Turn!.Id;
        using (var request = new HttpRequestMessage(HttpMethod.Post, $"/api/sessions/{session}/messages")
        {
            Content = new StringContent("""{"content":"it joined","onBusy":"steer"}""", System.Text.Encoding.UTF8, "application/json"),
        })
        using (var steered = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken))
        {
            steered.EnsureSuccessStatusCode();
        }

        await _server.KillAsync();
        await Assert.ThrowsAnyAsync<AshException>(() => sending);
        await _server.StartAgainAsync();
        _server.Model.Release("joined");

        var ended = await _server.WaitForTurnAsync(session, turn);
        Assert.Equal("completed", ended.Reason);
        Assert.EndsWith("it joined", ended.Result, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task IdleSandbox_IsAdopted_WithItsProcess()
    {
        var session = (await _server.CreateSessionAsync()).Id;
        await _server.SendAsync(session, "first");
        var cli = _server.CliOf(session).Pid;

        await _server.KillAsync();
        await _server.StartAgainAsync();

        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await _server.SendAsync(session, "second")).Result);
        Assert.Equal(cli, _server.CliOf(session).Pid);
    }

    [Fact(Timeout = Limit)]
    public async Task CliThatDiedWithTheServer_IsReplaced_BeforeTheNextMessage()
    {
        var session = (await _server.CreateSessionAsync()).Id;
        await _server.SendAsync(session, "first");
        var cli = _server.CliOf(session);

        await _server.KillAsync();
        cli.Kill();
        await _server.StartAgainAsync();

        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await _server.SendAsync(session, "second")).Result);
        Assert.NotEqual(cli.Pid, _server.CliOf(session).Pid);
    }

    [Fact(Timeout = Limit)]
    public async Task SandboxThatDiedWithTheServer_LosesItsTurn_AndTheQueueRuns()
    {
        var struck = await StruckTurn.BeginAsync(_server, Moment.WithinADelta);
        var next = _server.SendAsync(struck.Session, "third");
        await _server.WaitForEventAsync(struck.Session, e => e.Body is Client.Events.Lifecycle { Type: "turn.queued" });
        var bridge = _server.BridgeOf(struck.Session);

        await _server.KillAsync();
        bridge.Kill();
        await Assert.ThrowsAnyAsync<AshException>(() => struck.Sending);
        await Assert.ThrowsAnyAsync<AshException>(() => next);
        await _server.StartAgainAsync();

        var lost = await _server.WaitForTurnAsync(struck.Session, struck.Turn);
        Assert.Equal(("sandbox_lost", "killed", true), (lost.Reason, lost.Code, lost.Retryable));
        var third = await _server.WaitForTurnAsync(struck.Session, await _server.WaitForStartedAsync(struck.Session, 3));
        Assert.Equal($"[Resumed session] Turn 3 | History: first | second-{struck.Gate} | third", third.Result);
    }

    [Fact(Timeout = Limit)]
    public async Task QueuedMessages_KeepTheirOrder_AcrossTheServersDeath()
    {
        var struck = await StruckTurn.BeginAsync(_server, Moment.BeforeTheFirstByte);
        List<Task> waiting = [];
        for (var n = 3; n <= 7; n++)
        {
            waiting.Add(_server.SendAsync(struck.Session, $"message {n}"));
            var position = n - 2;
            await _server.WaitForEventAsync(struck.Session, e =>
                e.Body is Client.Events.Lifecycle { Type: "turn.queued" } fact && fact.Fact.GetProperty("position").GetInt32() == position);
        }

        await _server.KillAsync();
        await Assert.ThrowsAnyAsync<AshException>(() => struck.Sending);
        foreach (var client in waiting)
        {
            await Assert.ThrowsAnyAsync<AshException>(() => client);
        }

        await _server.StartAgainAsync();
        _server.Model.Release(struck.Gate);

        var last = await _server.WaitForTurnAsync(struck.Session, await _server.WaitForStartedAsync(struck.Session, 7));
        Assert.Equal(
            $"[Resumed session] Turn 7 | History: first | second-{struck.Gate} | message 3 | message 4 | message 5 | message 6 | message 7",
            last.Result);
    }

    [Fact(Timeout = Limit)]
    public async Task PowerLoss_LeavesAGap_ThatACursorReadsOver()
    {
        var struck = await StruckTurn.BeginAsync(_server, Moment.WithinADelta);
        var before = await _server.WaitForEventAsync(struck.Session, e => e.Body is Client.Events.TextDelta { Delta: "one" });
        var head = long.Parse(before.Id!.Split('.')[0], System.Globalization.CultureInfo.InvariantCulture);
        await _server.KillAsync();
        await Assert.ThrowsAnyAsync<AshException>(() => struck.Sending);
        var record = Path.Combine(_server.DataDirectory, "server.json");
        var text = await File.ReadAllTextAsync(record, TestContext.Current.CancellationToken);
        var boot = (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id", TestContext.Current.CancellationToken)).Trim();
        Assert.Contains(boot, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(record, text.Replace(boot, Guid.NewGuid().ToString(), StringComparison.Ordinal), TestContext.Current.CancellationToken);

        await _server.StartAgainAsync();
        _server.Model.Release(struck.Gate);
        var turn = await _server.WaitForTurnAsync(struck.Session, struck.Turn);

        Assert.Equal("completed", turn.Reason);
        using var answer = await _server.Http.GetAsync(
            $"/api/sessions/{struck.Session}/stream?after={head + 500_000}&until=idle", TestContext.Current.CancellationToken);
        var rest = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var ids = rest.Split('\n').Where(line => line.StartsWith("id: ", StringComparison.Ordinal))
            .Select(line => long.Parse(line[4..].Split('.')[0], System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.All(ids, id => Assert.True(id > head + 1_000_000));
        Assert.Contains("event: done\n", rest, StringComparison.Ordinal);
    }
}
