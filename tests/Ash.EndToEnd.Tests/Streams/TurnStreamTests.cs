using System.Text.Json;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Streams;

/// <summary>The answer to a message is the stream of its turn, and all who watch see the same.</summary>
public sealed class TurnStreamTests(TurnStreamTests.Fixture fixture) : IClassFixture<TurnStreamTests.Fixture>
{
    private AshServer Server => fixture.Server;

    [Theory(Timeout = 120_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnswerToAMessage_IsTheStreamOfItsTurn_ByteForByte(bool partial)
    {
        var session = (await Server.CreateSessionAsync()).Id;
        await Server.SendAsync(session, "something before");
        var message = Message("""
            [{"text":"Grüße 🌍","chunk":2,"tool":{"name":"Bash","input":{"command":"echo hi","description":"d"}}},{"text":"done now","chunk":3}]
            """, partial);

        using var post = await RawStream.OpenAsync(Server, $"/api/sessions/{session}/messages", post: message);
        var answer = Frames.Kept(await post.ReadAsync());
        await Server.SendAsync(session, "something after");

        Assert.True(post.IsWhole);
        var turn = post.Headers["X-Ash-Turn-Id"];
        Assert.Equal(answer, await ReadAsync($"/api/sessions/{session}/stream?turn={turn}&lifecycle=false&partial={(partial ? "true" : "false")}"));
        Assert.Equal(partial, Frames.Names(answer).Contains("text_delta"));
        Assert.Equal("session_start", Frames.Names(answer).First());
        Assert.Equal("done", Frames.Names(answer).Last());
    }

    [Fact(Timeout = 120_000)]
    public async Task QueuedMessage_IsStreamedFromItsOwnBeginning_InOrder()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var path = $"/api/sessions/{session}/messages";
        using var first = await RawStream.OpenAsync(
            Server, path, post: Message("""[{"text":"one two three","chunk":3,"gate":"queued","gateAfterChunks":2}]""", partial: false));
        await Server.Model.WaitUntilHeldAsync("queued", TestContext.Current.CancellationToken);
        using var second = await RawStream.OpenAsync(Server, path, post: Message("""[{"text":"second"}]""", partial: false));
        using var third = await RawStream.OpenAsync(Server, path, post: Message("""[{"text":"third"}]""", partial: false));
        Server.Model.Release("queued");

        var answers = await Task.WhenAll(first.ReadAsync(), second.ReadAsync(), third.ReadAsync());

        Assert.Equal(["one two three", "second", "third"], answers.Select(ResultOf));
        Assert.All(answers, answer => Assert.Equal("session_start", Frames.Names(answer).First()));
        var all = Frames.Parse(await ReadAsync($"/api/sessions/{session}/stream?until=idle&partial=false"));
        Assert.Equal(
            [first, second, third],
            all.Where(frame => frame.Name == "done").Select(done => new[] { first, second, third }.Single(stream =>
                stream.Headers["X-Ash-Turn-Id"] == done.Json.GetProperty("turnId").GetString())));
        Assert.Equal(
            [1, 2],
            all.Where(frame => frame.Name == "lifecycle" && frame.Json.GetProperty("type").GetString() == "turn.queued")
                .Select(frame => frame.Json.GetProperty("position").GetInt32()));
    }

    [Fact(Timeout = 120_000)]
    public async Task AllViewers_SeeTheSameBytes_WheneverTheyCome()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var path = $"/api/sessions/{session}/stream";
        using var early = await RawStream.OpenAsync(Server, path);
        var turn = Server.PlayAsync(session, """[{"text":"one two three four five six","chunk":2,"gate":"viewers","gateAfterChunks":6}]""");
        await Server.Model.WaitUntilHeldAsync("viewers", TestContext.Current.CancellationToken);
        using var inTheMiddle = await RawStream.OpenAsync(Server, path);
        Server.Model.Release("viewers");
        await turn;

        var late = await ReadAsync($"{path}?until=idle");

        Assert.Equal(late, Frames.Kept(await early.ReadUntilAsync(HasDone)));
        Assert.Equal(late, Frames.Kept(await inTheMiddle.ReadUntilAsync(HasDone)));
    }

    [Fact(Timeout = 120_000)]
    public async Task Stream_AfterLatest_HasOnlyWhatIsNew()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        await Server.SendAsync(session, "old");
        using var stream = await RawStream.OpenAsync(Server, $"/api/sessions/{session}/stream?after=latest&lifecycle=false");

        await Server.SendAsync(session, "new");

        var read = Frames.Parse(await stream.ReadUntilAsync(HasDone));
        Assert.Equal("session_start", read[0].Name);
        Assert.Single(read, frame => frame.Name == "done");
    }

    [Fact(Timeout = 120_000)]
    public async Task Stream_OfASessionThatEnds_Ends_AndSoDoesALaterOne()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        using var stream = await RawStream.OpenAsync(Server, $"/api/sessions/{session}/stream");

        await Server.Client.Sessions.EndAsync(session);

        var read = await stream.ReadAsync();
        Assert.True(stream.IsWhole);
        Assert.Equal("session.ended", Frames.Parse(read)[^1].Json.GetProperty("type").GetString());
        Assert.Equal(Frames.Kept(read), await ReadAsync($"/api/sessions/{session}/stream"));
    }

    private static bool HasDone(byte[] bytes) => Frames.Names(bytes).Contains("done");

    private static string? ResultOf(byte[] answer) =>
        Frames.Parse(answer).Single(frame => frame.Name == "turn_complete").Json.GetProperty("result").GetString();

    private static string Message(string steps, bool partial) =>
        JsonSerializer.Serialize(new { content = $"@@fake {steps}", includePartialMessages = partial });

    private async Task<byte[]> ReadAsync(string path)
    {
        using var stream = await RawStream.OpenAsync(Server, path);
        var bytes = await stream.ReadAsync();
        Assert.True(stream.IsWhole);
        return Frames.Kept(bytes);
    }

    public sealed class Fixture : IAsyncLifetime
    {
        public AshServer Server { get; private set; } = null!; // Set before the first test.

        public async ValueTask InitializeAsync() => Server = await AshServer.StartAsync();

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
