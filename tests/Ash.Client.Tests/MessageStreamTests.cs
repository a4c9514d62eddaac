using System.Net;
using System.Text;
using Ash.Client.Events;
using Ash.Client.Tests.Scripted;
using CsCheck;
using Microsoft.AspNetCore.Http;

namespace Ash.Client.Tests;

public sealed class MessageStreamTests
{
    private static readonly Guid Session = new("019a0000-0000-7000-8000-000000000001");
    private static readonly IReadOnlyList<ScriptedEvent> Turn = ScriptedEvent.TurnWithTool(Session);

    // Streams break again and again here: no wait is worth its time.
    private static readonly ReconnectOptions Quick = new()
    {
        InitialDelay = TimeSpan.FromMilliseconds(1),
        MaxDelay = TimeSpan.FromMilliseconds(2),
    };

    [Fact]
    public async Task Turn_IsReadToItsDone()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = [.. Turn, new ScriptedEvent("12", "session_start", "{}")];
        using var client = Client(api);

        Assert.Equal(Turn, await ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop)));

        var request = Assert.Single(api.Requests);
        Assert.Equal("""{"content":"hi","includePartialMessages":true}""", request.Body);
        Assert.Equal("text/event-stream", request.Accept);
        Assert.True(Guid.TryParse(request.IdempotencyKey, out var key) && key.Version == 7);
    }

    [Fact]
    public async Task EachEvent_ComesOnceAndInOrder_WhereverConnectionsBreak()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = Turn;
        using var client = Client(api, Quick with { MaxAttempts = 100 });
        var length = Encoding.UTF8.GetByteCount(string.Concat(Turn.Select(one => one.Frame))) + 12;

        await Gen.Int[ScriptedApi.BeforeHeaders, length].Array[0, 8].SampleAsync(
            async cuts =>
            {
                foreach (var cut in cuts)
                {
                    api.Cuts.Enqueue(cut);
                }

                Assert.Equal(Turn, await ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop)));
                api.Cuts.Clear();
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    public async Task EachEvent_ComesOnce_WhereTheServerDoesNotNameTheTurn()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = Turn;
        api.NamesTurn = false;
        using var client = Client(api, Quick);

        for (var cut = 0; cut < 1200; cut += 97)
        {
            api.Cuts.Enqueue(cut);
            Assert.Equal(Turn, await ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop)));
        }

        Assert.All(api.Requests, request => Assert.Equal("POST", request.Method));
    }

    [Fact]
    public async Task Message_IsSentAgainWithItsKey_WhereTheConnectionBrokeBeforeTheAnswer()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = Turn;
        api.Cuts.Enqueue(ScriptedApi.BeforeHeaders);
        api.Cuts.Enqueue(ScriptedApi.BeforeHeaders);
        using var client = Client(api, Quick);

        Assert.Equal(Turn, await ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop)));

        Assert.All(api.Requests, request => Assert.Equal("POST", request.Method));
        Assert.Single(api.Requests.Select(request => request.IdempotencyKey).Distinct());
        Assert.Equal(1, api.TurnsStarted);
    }

    [Fact]
    public async Task BrokenTurn_IsReadOnAfterTheLastEvent_WithoutAnotherMessage()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = Turn;
        var broken = BreakOnceReadFrom(api);
        using var client = Client(api, Quick);

        Assert.Equal(Turn, await ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop), broken));

        var requests = api.Requests.ToList();
        Assert.Equal(["POST", "GET"], requests.Select(request => request.Method));
        var turn = Assert.Single(requests[1].Query.TrimStart('?').Split('&'), part => part.StartsWith("turn=", StringComparison.Ordinal));
        Assert.True(Guid.TryParse(turn[5..], out _));
        Assert.Contains("lifecycle=false", requests[1].Query, StringComparison.Ordinal);
        Assert.Contains("partial=true", requests[1].Query, StringComparison.Ordinal);
        Assert.EndsWith($"after={Turn[0].Id}", requests[1].Query, StringComparison.Ordinal);
        Assert.Equal(Turn[0].Id, requests[1].LastEventId);
    }

    [Fact]
    public async Task Refusal_IsThrownAtOnce()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"POST /api/sessions/{Session}/messages", """{"error":"Busy","statusCode":503,"code":"no_capacity"}""", 503);
        using var client = Client(api, Quick);

        var refusal = await Assert.ThrowsAsync<AshApiException>(() => ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop)));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "no_capacity", "Busy"), (refusal.StatusCode, refusal.Code, refusal.Message));
        Assert.Single(api.Requests);
    }

    [Fact]
    public async Task RefusalDuringARestart_IsPassedOver()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = Turn;
        var broken = BreakOnceReadFrom(api);
        var refusals = 3;
        api.On($"GET /api/sessions/{Session}/stream", async context =>
        {
            if (Interlocked.Decrement(ref refusals) >= 0)
            {
                context.Response.StatusCode = 503;
                return;
            }

            await api.StreamAsync(context, ScriptedEvent.After(Turn, context.Request.Query["after"]));
        });
        using var client = Client(api, Quick);

        Assert.Equal(Turn, await ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop), broken));
        Assert.Equal(-1, refusals);
    }

    [Fact]
    public async Task UnknownSession_DuringAReconnect_IsThrown()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = Turn;
        var broken = BreakOnceReadFrom(api);
        api.On($"GET /api/sessions/{Session}/stream", """{"error":"Session not found","statusCode":404}""", 404);
        using var client = Client(api, Quick);

        var refusal = await Assert.ThrowsAsync<AshApiException>(
            () => ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop), broken));

        Assert.Equal(HttpStatusCode.NotFound, refusal.StatusCode);
    }

    [Fact]
    public async Task ServerThatWasNeverThere_FailsAtOnce()
    {
        var api = await ScriptedApi.StartAsync();
        using var client = Client(api, Quick with { InitialDelay = TimeSpan.FromHours(1), MaxDelay = TimeSpan.FromHours(1) });
        await api.DisposeAsync();

        await Assert.ThrowsAsync<AshConnectionException>(() => ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop)));
    }

    [Fact]
    public async Task StreamThatBringsNothingNew_FailsAfterAllAttempts_WithWaitsThatDouble()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"POST /api/sessions/{Session}/messages", context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        var clock = new ImpatientClock(longest: TimeSpan.FromSeconds(8));
        var reconnect = new ReconnectOptions { InitialDelay = TimeSpan.FromSeconds(1), MaxDelay = TimeSpan.FromSeconds(8), MaxAttempts = 6 };
        using var client = Client(api, reconnect, clock);

        await Assert.ThrowsAsync<AshConnectionException>(() => ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop)));

        double[] longest = [1, 2, 4, 8, 8, 8];
        Assert.Equal(7, api.Requests.Count);
        Assert.All(longest.Zip(clock.Waits), pair => Assert.InRange(pair.Second.TotalSeconds, pair.First / 2, pair.First));
        Assert.Equal(longest.Length, clock.Waits.Count);
    }

    [Fact]
    public async Task SilentConnection_CountsAsBroken()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = Turn;
        var left = new TaskCompletionSource();
        api.On($"POST /api/sessions/{Session}/messages", async context =>
        {
            context.Response.Headers["X-Ash-Turn-Id"] = $"{Guid.CreateVersion7()}";
            await context.Response.WriteAsync(Turn[0].Frame);
            await context.Response.Body.FlushAsync();
            context.RequestAborted.Register(left.SetResult);
            await left.Task;
        });
        using var client = Client(api, Quick with { SilenceLimit = TimeSpan.FromMilliseconds(200) });

        Assert.Equal(Turn, await ReadAsync(client.Sessions.SendMessageAsync(Session, "hi", true, Stop)));
        await left.Task;
    }

    [Fact]
    public async Task ReaderThatTakesItsTime_IsNotTheServersSilence()
    {
        await using var api = await ScriptedApi.StartAsync();
        var slept = new TaskCompletionSource();
        api.On($"POST /api/sessions/{Session}/messages", async context =>
        {
            await context.Response.WriteAsync(Turn[0].Frame);
            await context.Response.Body.FlushAsync();
            await slept.Task;
            await context.Response.WriteAsync(string.Concat(Turn.Skip(1).Select(one => one.Frame)));
        });
        var clock = new ManualClock();
        using var client = Client(api, Quick, clock);

        await foreach (var read in client.Sessions.SendMessageAsync(Session, "hi", true, Stop))
        {
            clock.Advance(Quick.SilenceLimit * 2);
            slept.TrySetResult();
        }

        Assert.Single(api.Requests);
    }

    [Fact]
    public async Task ReaderThatStops_ClosesTheConnection()
    {
        await using var api = await ScriptedApi.StartAsync();
        var left = new TaskCompletionSource();
        api.On($"POST /api/sessions/{Session}/messages", async context =>
        {
            await context.Response.WriteAsync(Turn[0].Frame);
            await context.Response.Body.FlushAsync();
            context.RequestAborted.Register(left.SetResult);
            await left.Task;
        });
        using var client = Client(api, Quick);

        await foreach (var read in client.Sessions.SendMessageAsync(Session, "hi", true, Stop))
        {
            Assert.Equal("session_start", read.Name);
            break;
        }

        await left.Task;
    }

    [Fact]
    public async Task CancelledReader_GetsItsCancellation()
    {
        await using var api = await ScriptedApi.StartAsync();
        var left = new TaskCompletionSource();
        api.On($"POST /api/sessions/{Session}/messages", async context =>
        {
            await context.Response.WriteAsync(Turn[0].Frame);
            await context.Response.Body.FlushAsync();
            context.RequestAborted.Register(left.SetResult);
            await left.Task;
        });
        using var client = Client(api, Quick);
        using var cancellation = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in client.Sessions.SendMessageAsync(Session, "hi", true, cancellation.Token))
            {
                await cancellation.CancelAsync();
            }
        });
        await left.Task;
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static AshClient Client(ScriptedApi api, ReconnectOptions? reconnect = null, TimeProvider? clock = null) =>
        new(new AshClientOptions
        {
            ServerUrl = api.Url,
            Reconnect = reconnect ?? new ReconnectOptions(),
            TimeProvider = clock ?? TimeProvider.System,
        });

    /// <summary>Messages are answered with one event; once that was read (the result is completed), the connection breaks.</summary>
    private static TaskCompletionSource BreakOnceReadFrom(ScriptedApi api)
    {
        var read = new TaskCompletionSource();
        api.On($"POST /api/sessions/{Session}/messages", async context =>
        {
            context.Response.Headers["X-Ash-Turn-Id"] = $"{Guid.CreateVersion7()}";
            await context.Response.WriteAsync(api.Turn[0].Frame + api.Turn[1].Frame[..15]);
            await context.Response.Body.FlushAsync();
            await read.Task;
            context.Abort();
        });
        return read;
    }

    private static async Task<List<ScriptedEvent>> ReadAsync(IAsyncEnumerable<AshEvent> stream, TaskCompletionSource? firstRead = null)
    {
        var events = new List<ScriptedEvent>();

        await foreach (var read in stream)
        {
            firstRead?.TrySetResult();
            events.Add(new ScriptedEvent(read.Id, read.Name, Encoding.UTF8.GetString(read.Data.Span)));
        }

        return events;
    }
}
