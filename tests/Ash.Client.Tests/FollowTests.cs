using Ash.Client.Events;
using Ash.Client.Tests.Scripted;

namespace Ash.Client.Tests;

public sealed class FollowTests
{
    private static readonly Guid Session = new("019a0000-0000-7000-8000-000000000001");
    private static readonly string Stream = $"GET /api/sessions/{Session}/stream";

    [Fact]
    public async Task IdleStream_EndsWhenTheServerClosesIt()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = [Event("1"), Event("2")];
        using var client = Client(api);

        Assert.Equal(["1", "2"], await IdsAsync(client.Sessions.StreamAsync(Session, new StreamOptions { UntilIdle = true }, Stop)));
        Assert.Equal("?partial=true&lifecycle=true&until=idle", Assert.Single(api.Requests).Query);
    }

    [Fact]
    public async Task OpenStream_GoesOn_WhenTheServerClosesIt()
    {
        await using var api = await ScriptedApi.StartAsync();
        var calls = 0;
        api.On(Stream, context =>
        {
            var call = Interlocked.Increment(ref calls);
            Assert.Equal(call == 1 ? "7" : $"{call + 6}", context.Request.Query["after"]);
            return api.StreamAsync(context, [Event($"{call + 7}")]);
        });
        using var client = Client(api);

        Assert.Equal(
            ["8", "9", "10"],
            await IdsAsync(client.Sessions.StreamAsync(Session, new StreamOptions { After = "7" }, Stop).Take(3)));
    }

    public static TheoryData<StreamOptions> CompleteStreams => new(
        new StreamOptions { Turn = Guid.CreateVersion7(), After = "2" },
        new StreamOptions { Lifecycle = false, After = "2" });

    [Theory]
    [MemberData(nameof(CompleteStreams))]
    public async Task CompleteStream_EndsAtOnce_WithoutAnEvent(StreamOptions options)
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = [Event("1"), Event("2")];
        using var client = Client(api);

        Assert.Empty(await IdsAsync(client.Sessions.StreamAsync(Session, options, Stop)));
        Assert.Single(api.Requests);
    }

    [Fact]
    public async Task OpenStream_Ends_WhenTheServerClosesItAgain_WithNothingToSay()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = [Event("1"), Event("2")];
        using var client = Client(api);

        Assert.Equal(["1", "2"], await IdsAsync(client.Sessions.StreamAsync(Session, new StreamOptions { Lifecycle = false }, Stop)));
        Assert.Equal(2, api.Requests.Count);
    }

    [Fact]
    public async Task OpenStream_GoesOn_WhenItsConnectionBroke_BeforeAnEvent()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = [Event("1"), new ScriptedEvent("2", "lifecycle", """{"type":"session.ended","seq":2}""")];
        api.Cuts.Enqueue(12);
        using var client = Client(api);

        Assert.Equal(["1", "2"], await IdsAsync(client.Sessions.StreamAsync(Session, cancellationToken: Stop)));
        Assert.Equal(2, api.Requests.Count);
    }

    [Fact]
    public async Task OpenStream_EndsWithItsSession()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = [Event("1"), new ScriptedEvent("2", "lifecycle", """{"type":"session.ended","seq":2}"""), Event("3")];
        using var client = Client(api);

        Assert.Equal(["1", "2"], await IdsAsync(client.Sessions.StreamAsync(Session, cancellationToken: Stop)));
    }

    [Fact]
    public async Task TurnStream_EndsWithItsDone()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = [Event("1"), new ScriptedEvent("2", "done", "{}"), Event("3")];
        using var client = Client(api);
        var turn = Guid.CreateVersion7();
        var options = new StreamOptions { Turn = turn, Partial = false, Lifecycle = false, After = "0" };

        Assert.Equal(["1", "2"], await IdsAsync(client.Sessions.StreamAsync(Session, options, Stop)));
        Assert.Equal($"?partial=false&lifecycle=false&turn={turn}&after=0", Assert.Single(api.Requests).Query);
    }

    [Fact]
    public async Task EventsWithoutIdsOfTheirOwn_AreAllGivenOut()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = [Event("1"), new ScriptedEvent(null, "note", "a"), new ScriptedEvent(null, "note", "b"), Event("2")];
        using var client = Client(api);

        Assert.Equal(
            ["1", "1", "1", "2"],
            await IdsAsync(client.Sessions.StreamAsync(Session, new StreamOptions { UntilIdle = true }, Stop)));
    }

    [Fact]
    public async Task RefusedCursor_IsThrown()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On(Stream, """{"error":"No such cursor","statusCode":400,"code":"invalid_cursor"}""", 400);
        using var client = Client(api);

        var refusal = await Assert.ThrowsAsync<AshApiException>(() => IdsAsync(client.Sessions.StreamAsync(Session, cancellationToken: Stop)));

        Assert.Equal("invalid_cursor", refusal.Code);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static ScriptedEvent Event(string id) => new(id, "message", "{}");

    private static AshClient Client(ScriptedApi api) => new(new AshClientOptions
    {
        ServerUrl = api.Url,
        Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(2) },
    });

    private static async Task<List<string?>> IdsAsync(IAsyncEnumerable<AshEvent> stream) =>
        await stream.Select(read => read.Id).ToListAsync();
}
