using System.Diagnostics;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Streams;

/// <summary>However a turn ends, its stream has <c>session_start</c> first, one <c>done</c> last, and <c>error</c> before it where it failed.</summary>
public sealed class TurnEndTests(TurnEndTests.Fixture fixture) : IClassFixture<TurnEndTests.Fixture>
{
    private static readonly TimeSpan AFewSeconds = TimeSpan.FromSeconds(15);

    private AshServer Server => fixture.Server;

    [Theory(Timeout = 120_000)]
    [InlineData("""[{"text":"hello"}]""", "completed", null, false)]
    [InlineData("""[{"error":{"status":400,"message":"bad"},"times":20}]""", "model_error", "invalid_request", false)]
    [InlineData("""[{"error":{"status":401},"times":20}]""", "model_error", "authentication_failed", false)]
    [InlineData("""[{"error":{"status":403},"times":20}]""", "model_error", "authentication_failed", false)]
    [InlineData("""[{"error":{"status":404},"times":20}]""", "model_error", "model_not_found", false)]
    [InlineData("""[{"error":{"status":413},"times":20}]""", "model_error", "invalid_request", false)]
    [InlineData("""[{"error":{"status":429},"times":20}]""", "model_error", "rate_limit", true)]
    [InlineData("""[{"error":{"status":500},"times":20}]""", "model_error", "server_error", true)]
    [InlineData("""[{"error":{"status":529},"times":20}]""", "model_error", "server_error", true)]
    [InlineData("""[{"drop":true,"times":20}]""", "model_error", "server_error", true)]
    [InlineData("""[{"text":"half of it","chunk":2,"dropAfterChunks":2},{"text":"all of it"}]""", "completed", null, false)]
    [InlineData("""[{"streamError":{"status":529,"afterChunks":1},"text":"half of it","chunk":2},{"text":"all of it"}]""", "completed", null, false)]
    [InlineData("""[{"error":{"status":529},"times":2},{"text":"all of it"}]""", "completed", null, false)]
    public async Task Turn_EndsOnce_WhateverTheModelDoes(string steps, string reason, string? code, bool isRetryable)
    {
        var session = await Server.CreateSessionAsync();
        var clock = Stopwatch.StartNew();

        var turn = await Server.PlayAsync(session.Id, steps);

        TestContext.Current.TestOutputHelper?.WriteLine($"{reason} {turn.Code}: {turn.Result} ({clock.ElapsedMilliseconds} ms)");
        Assert.Equal((reason, code, isRetryable), (turn.Reason, turn.Code, turn.Retryable));
        await AssertWellFormedAsync(turn);
        Assert.True(clock.Elapsed < AFewSeconds, $"It took {clock.Elapsed}.");

        // From the queue: the CLI merges a failed prompt, script and all, with the next one.
        Server.Model.Queue("""{"text":"fine","when":{"prompt":"and now"}}""");
        Assert.Equal("fine", (await Server.SendAsync(session.Id, "and now?")).Result);
    }

    [Fact(Timeout = 120_000)]
    public async Task Turn_EndsOnce_WhenItIsInterrupted()
    {
        var session = await Server.CreateSessionAsync();
        var running = Server.PlayAsync(session.Id, """[{"text":"one two three","chunk":3,"gateAfterChunks":2,"gate":"ends-interrupted"}]""");
        await Server.Model.WaitUntilHeldAsync("ends-interrupted", TestContext.Current.CancellationToken);

        await Server.Client.Sessions.InterruptAsync(session.Id);

        var turn = await running;
        Assert.Equal("interrupted", turn.Reason);
        await AssertWellFormedAsync(turn);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("pause")]
    [InlineData("stop")]
    [InlineData("end")]
    public async Task RunningAndQueuedTurns_EndOnce_WhenTheSessionIsSetAside(string verb)
    {
        var session = await Server.CreateSessionAsync();
        var gate = $"ends-{verb}";
        var running = Server.PlayAsync(session.Id, $$"""[{"text":"one two three","chunk":3,"gateAfterChunks":2,"gate":"{{gate}}"}]""");
        await Server.Model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken);
        var queued = Server.SendAsync(session.Id, "later");
        await Server.WaitForEventAsync(session.Id, e => e.Name == "lifecycle" && e.Json.GetProperty("type").GetString() == "turn.queued");

        await (verb switch
        {
            "pause" => Server.Client.Sessions.PauseAsync(session.Id),
            "stop" => Server.Client.Sessions.StopAsync(session.Id),
            _ => Server.Client.Sessions.EndAsync(session.Id),
        });

        Assert.Equal("interrupted", (await running).Reason);
        Assert.Equal("cancelled", (await queued).Reason);
        await AssertWellFormedAsync(await running);
        await AssertWellFormedAsync(await queued, hasBegun: false);
    }

    [Fact(Timeout = 120_000)]
    public async Task Turn_EndsOnce_WhenItsProcessDies()
    {
        var session = await Server.CreateSessionAsync();
        var running = Server.PlayAsync(session.Id, """[{"text":"one two three","chunk":3,"gateAfterChunks":2,"gate":"ends-lost"}]""");
        await Server.Model.WaitUntilHeldAsync("ends-lost", TestContext.Current.CancellationToken);

        await Server.ExecAsync(session.Id, "pkill -9 claude || kill -9 $(grep -lx claude /proc/[0-9]*/comm | cut -d/ -f3)");

        var turn = await running;
        Assert.Equal(("sandbox_lost", "cli_exited", true), (turn.Reason, turn.Code, turn.Retryable));
        await AssertWellFormedAsync(turn);
    }

    [Fact(Timeout = 120_000)]
    public async Task Turn_EndsOnce_WhenItTakesTooLong()
    {
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_TURN_TIMEOUT"] = "1s" },
        });
        var session = await server.CreateSessionAsync();

        var turn = await server.PlayAsync(session.Id, """[{"hang":true}]""");
        Assert.Equal("timeout", turn.Reason);
        await AssertWellFormedAsync(turn, server);
    }

    [Fact(Timeout = 120_000)]
    public async Task Turn_SaysWhatIsMissing_WhereNoModelIsConfigured()
    {
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ANTHROPIC_API_KEY"] = null, ["ASH_MODEL_BASE_URL"] = null },
        });
        var session = await server.CreateSessionAsync();

        var turn = await server.SendAsync(session.Id, "hello");
        TestContext.Current.TestOutputHelper?.WriteLine($"{turn.Code}: {turn.Result}");
        Assert.Equal(("model_error", "model_not_configured", false), (turn.Reason, turn.Code, turn.Retryable));
        Assert.Contains("ANTHROPIC_API_KEY", turn.Result, StringComparison.Ordinal);
        await AssertWellFormedAsync(turn, server);
    }

    private async Task AssertWellFormedAsync(TurnInfo turn, AshServer? server = null, bool hasBegun = true)
    {
        using var stream = await RawStream.OpenAsync(server ?? Server, $"/api/sessions/{turn.SessionId}/stream?turn={turn.Id}&lifecycle=false");
        var bytes = await stream.ReadAsync();
        Assert.True(stream.IsWhole);
        var frames = Frames.Parse(bytes);
        Assert.Equal("ended", turn.Status);
        Assert.Equal(turn.LastEventId, frames[^1].Id);
        Assert.Equal("done", frames[^1].Name);
        Assert.Single(frames, frame => frame.Name == "done");
        Assert.Equal(hasBegun ? 1 : 0, frames.Count(frame => frame.Name == "session_start"));
        Assert.True(!hasBegun || frames[0].Name == "session_start", frames[0].Name);
        Assert.Equal(turn.Reason, frames[^1].Json.GetProperty("reason").GetString());
        if (turn.Reason == "completed")
        {
            Assert.DoesNotContain(frames, frame => frame.Name == "error");
        }
        else
        {
            Assert.Equal("error", frames[^2].Name);
            Assert.Single(frames, frame => frame.Name == "error");
            Assert.NotEmpty(frames[^2].Json.GetProperty("error").GetString()!);
        }
    }

    public sealed class Fixture : IAsyncLifetime
    {
        public AshServer Server { get; private set; } = null!; // Set before the first test.

        public async ValueTask InitializeAsync() => Server = await AshServer.StartAsync(new AshServerOptions
        {
            // The broker's patience is shown elsewhere; here it is only in the way.
            Environment = new Dictionary<string, string?> { ["Ash__Broker__RetryDelay"] = "00:00:00.050" },
        });

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
