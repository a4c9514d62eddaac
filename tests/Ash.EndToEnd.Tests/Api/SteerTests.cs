using System.Net;
using System.Text;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>Messages that join the running turn: the model hears them, and the turn ends once it has answered all of them.</summary>
[Collection(typeof(ApiTests))]
public sealed class SteerTests(ApiServer fixture)
{
    private const int Limit = 120_000;

    private AshServer Server => fixture.Server;

    [Fact(Timeout = Limit)]
    public async Task WhileAToolRuns_TheTextReachesTheModelWithTheToolsResult()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var running = await BeginToolAsync(session);

        using var steered = await SteerAsync(session, "mind the gap");
        await HeldTool.LetGoAsync(Server, session);

        var turn = await running;
        Assert.Equal(("completed", "the end"), (turn.Reason, turn.Result));
        Assert.Contains("mind the gap", Server.LastModelCall(session).BodyText, StringComparison.Ordinal);
        var stream = await steered.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("the end", stream, StringComparison.Ordinal);
        Assert.Contains("event: done", stream, StringComparison.Ordinal);
        var log = await Server.ReadLogAsync(session);
        Assert.Single(log, e => e.Name == "done");

        // Its place in the conversation is kept, and it is told once.
        await Server.Client.Sessions.StopAsync(session);
        await Server.Client.Sessions.ResumeAsync(session);
        Assert.Equal("completed", (await Server.SendAsync(session, "next")).Reason);
        Assert.Equal(1, CountOf("mind the gap", session));
    }

    [Fact(Timeout = Limit)]
    public async Task WhileTheModelSpeaks_TheTextIsAnsweredAfterIt_InTheSameTurn()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var (running, gate) = await BeginSpeakingAsync(session, "the first text");

        using var steered = await SteerAsync(session, "the second text");
        using var again = await SteerAsync(session, "the third text");
        Server.Model.Release(gate);

        var turn = await running;
        Assert.Equal("completed", turn.Reason);
        Assert.Contains("the third text", turn.Result, StringComparison.Ordinal);
        Assert.Single(await Server.ReadLogAsync(session), e => e.Name == "done");
        Assert.Equal("completed", (await Server.SendAsync(session, "the fourth text")).Reason);
        Assert.All((string[])["the first text", "the second text", "the third text", "the fourth text"], text => Assert.Equal(1, CountOf(text, session)));
    }

    [Fact(Timeout = Limit)]
    public async Task KilledProcess_TellsTheNextOneWhatWasSaidToIt()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var running = await BeginToolAsync(session);
        using var steered = await SteerAsync(session, "mind the gap");

        ProcessSignals.Send(Assert.Single(Server.Processes(), process => process.Name == "claude" && IsOf(process, session)).Pid, 9);

        Assert.Equal("sandbox_lost", (await running).Reason);
        Assert.Equal("completed", (await Server.SendAsync(session, "next")).Reason);
        Assert.Equal(1, CountOf("mind the gap", session));
    }

    [Fact(Timeout = Limit)]
    public async Task Interrupt_EndsTheTurn_WithAllThatWasSaidToIt()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var (running, gate) = await BeginSpeakingAsync(session, "first");
        using var steered = await SteerAsync(session, "second");

        await Server.Client.Sessions.InterruptAsync(session);

        Assert.Equal("interrupted", (await running).Reason);
        Server.Model.Release(gate);
        Assert.Equal("completed", (await Server.SendAsync(session, "next")).Reason);
    }

    [Fact(Timeout = Limit)]
    public async Task WhatTheProcessWasNotStartedWith_CannotJoin()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var running = await BeginToolAsync(session);

        foreach (var option in (string[])["\"model\":\"claude-other\"", "\"maxTurns\":3", "\"maxBudgetUsd\":1"])
        {
            (await Server.SendJsonAsync(session, $$"""{"content":"x","onBusy":"steer",{{option}}}""")).IsError(400, "cannot_steer");
        }

        await HeldTool.LetGoAsync(Server, session);
        Assert.Equal("completed", (await running).Reason);
    }

    [Fact(Timeout = Limit)]
    public async Task WithoutARunningTurn_ItIsATurnOfItsOwn()
    {
        var files = new Dictionary<string, string> { ["ash.json"] = """{"onBusy":"steer"}""" };
        var session = (await Server.CreateSessionAsync(files: files)).Id;

        Assert.Equal("[Mock] Turn 1 | History: one", (await SendAsync(session, "one")).Result);
        Assert.Equal("[Resumed session] Turn 2 | History: one | two", (await SendAsync(session, "two", "\"onBusy\":\"steer\"")).Result);
    }

    [Fact(Timeout = Limit)]
    public async Task SameKey_JoinsOnce()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var running = await BeginToolAsync(session);

        using var first = await SteerAsync(session, "mind the gap", "key");
        using var again = await SteerAsync(session, "mind the gap", "key");
        await HeldTool.LetGoAsync(Server, session);

        await running;
        Assert.Equal(1, CountOf("mind the gap", session));
        Assert.Single(
            await Server.Client.Sessions.ListMessagesAsync(session),
            message => message.Role == "user" && message.Content.Contains("mind the gap", StringComparison.Ordinal));
    }

    /// <summary>Begins a turn in which the model speaks, and stops at a gate.</summary>
    private async Task<(Task<TurnInfo> Running, string Gate)> BeginSpeakingAsync(Guid session, string text)
    {
        var gate = $"steer-{session}";
        var running = SendAsync(session, $$"""{{text}} @@fake {"text":"one two","chunk":3,"gateAfterChunks":1,"gate":"{{gate}}"}""");
        await Server.Model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken);
        return (running, gate);
    }

    /// <summary>Begins a turn whose tool runs.</summary>
    private async Task<Task<TurnInfo>> BeginToolAsync(Guid session)
    {
        var running = SendAsync(session, HeldTool.Message);
        await HeldTool.WaitUntilItRunsAsync(Server, session);
        return running;
    }

    /// <summary>Returns once the message is accepted; the answer is the turn's stream from there on.</summary>
    private async Task<HttpResponseMessage> SteerAsync(Guid session, string text, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/sessions/{session}/messages")
        {
            Content = new StringContent($$"""{"content":{{JsonSerializer.Serialize(text)}},"onBusy":"steer"}""", Encoding.UTF8, "application/json"),
        };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        var response = await Server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response;
    }

    private async Task<TurnInfo> SendAsync(Guid session, string text, string? options = null)
    {
        var body = $$"""{"content":{{JsonSerializer.Serialize(text)}}{{(options is null ? "" : "," + options)}}}""";
        return (await Server.SendJsonAsync(session, body)).IsSuccess().Deserialize(ApiJson.Default.TurnEnvelope)!.Turn;
    }

    /// <summary>How many of the messages in the model's last call have a text, the model's own left aside.</summary>
    private int CountOf(string text, Guid session) =>
        JsonElement.Parse(Server.LastModelCall(session).BodyText)
            .GetProperty("messages")
            .EnumerateArray()
            .Where(message => message.GetProperty("role").GetString() != "assistant")
            .SelectMany(message => message.GetProperty("content") is { ValueKind: JsonValueKind.Array } blocks ? blocks.EnumerateArray() : Enumerable.Repeat(message, 1))
            .Count(block => block.GetRawText().Contains(text, StringComparison.Ordinal));

    private static bool IsOf(SandboxProcess process, Guid session) =>
        File.ReadAllText($"/proc/{process.Pid}/environ").Contains($"ASH_SESSION_ID={session}", StringComparison.Ordinal);
}
