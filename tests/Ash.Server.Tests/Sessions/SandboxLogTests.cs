using System.Net;
using System.Net.Http.Json;
using Ash.Protocol.Api;
using Ash.Server.Sessions;
using Ash.Server.Tests.InMemory;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Sessions;

/// <summary>The log of a session's sandbox: what its processes wrote beside the conversation, and what became of them.</summary>
public sealed class SandboxLogTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task LinesOfTheAgent_AreKept_OneByOne()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Errors = ["first", "second \u65e5\u672c\u8a9e", string.Empty, "with\0zero"];
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");

        var logs = await ReadAsync(server, session);

        Assert.Equal(["first", "second \u65e5\u672c\u8a9e", string.Empty, "with\ufffdzero"], TextsOf(logs, "stderr"));
        Assert.Equal(Enumerable.Range(0, logs.Count).Select(index => (long)index), logs.Select(line => line.Index));
        Assert.All(logs, line => Assert.Equal(server.Clock.GetUtcNow(), line.Ts, TimeSpan.FromMinutes(1)));
    }

    [Fact(Timeout = Limit)]
    public async Task After_GivesOnlyWhatFollows()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Errors = ["a", "b", "c"];
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
        var all = await ReadAsync(server, session);

        Assert.Equal(all.Skip(2), await ReadAsync(server, session, "?after=1"));
        Assert.Equal(all, await ReadAsync(server, session, "?after=-1"));
        Assert.Empty(await ReadAsync(server, session, "?after=9000000000"));
    }

    [Fact(Timeout = Limit)]
    public async Task WhatTheServerDid_StandsAmongThem_AndOutlivesTheSandbox()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Errors = ["said before the end"];
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
        await server.Client.Sessions.StopAsync(session.Id);
        await server.Client.Sessions.EndAsync(session.Id);

        var logs = await ReadAsync(server, session);

        Assert.Contains("is up", TextsOf(logs, "system")[0], StringComparison.Ordinal);
        Assert.Contains("The agent's process ended with exit code 0.", TextsOf(logs, "system"));
        Assert.Contains("said before the end", TextsOf(logs, "stderr"));
    }

    [Fact(Timeout = Limit)]
    public async Task StartThatFails_SaysWhy()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.StopAsync(session.Id);
        server.Host.StartFailure = new("no room at all");
        using var refused = await server.Http.PostAsync($"/api/sessions/{session.Id}/resume", null);

        Assert.Equal(HttpStatusCode.InternalServerError, refused.StatusCode);
        Assert.Contains("no room at all", TextsOf(await ReadAsync(server, session), "system"));
    }

    [Fact(Timeout = Limit)]
    public async Task LongLine_IsCut_BetweenCharacters()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Errors = [new string('x', SandboxLog.MaxLineLength - 1) + "\ud83d\ude00" + new string('y', 100_000)];
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");

        Assert.Equal(
            new string('x', SandboxLog.MaxLineLength - 1) + " … (cut)", Assert.Single(TextsOf(await ReadAsync(server, session), "stderr")));
    }

    [Fact(Timeout = Limit)]
    public async Task OnlyTheNewestLines_AreKept()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Errors = [.. Enumerable.Range(0, SandboxLog.MaxLines + 100).Select(n => $"line {n}")];
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");

        var logs = await ReadAsync(server, session);

        Assert.Equal(SandboxLog.MaxLines, logs.Count);
        Assert.Equal($"line {SandboxLog.MaxLines + 99}", logs[^1].Text);
        Assert.Equal(logs[0].Index + SandboxLog.MaxLines - 1, logs[^1].Index);
    }

    [Fact(Timeout = Limit)]
    public async Task FloodOfErrors_EndsItsTurn()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { TurnOutputBytes = 1024 * 1024 });
        server.Host.Errors = [.. Enumerable.Repeat(new string('x', 10_000), 200)];
        server.Host.Manner = CliManner.Waits;
        var session = await server.CreateSessionAsync();

        Assert.Equal("sandbox_lost", await await server.BeginTurnAsync(session, "one"));
    }

    [Fact(Timeout = Limit)]
    public async Task Purge_RemovesThem()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Errors = ["gone"];
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
        using var purged = await server.Http.DeleteAsync($"/api/sessions/{session.Id}?purge=true");

        await using var db = await server.ReadStoreAsync();
        Assert.Equal(0, await db.LogLines.CountAsync());
    }

    [Theory(Timeout = Limit)]
    [InlineData("-2")]
    [InlineData("x")]
    [InlineData("1.5")]
    public async Task AfterThatIsNoIndex_IsRefused(string after)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        using var answer = await server.Http.GetAsync($"/api/sessions/{session.Id}/logs?after={after}");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    private static async Task<IReadOnlyList<SessionLogEntry>> ReadAsync(InMemoryServer server, SessionInfo session, string query = "")
    {
        var list = await server.Http.GetFromJsonAsync($"/api/sessions/{session.Id}/logs{query}", ApiJson.Default.SessionLogListEnvelope);
        Assert.Equal("sandbox", list!.Source);
        return list.Logs;
    }

    private static List<string> TextsOf(IEnumerable<SessionLogEntry> logs, string level) =>
        [.. logs.Where(line => line.Level == level).Select(line => line.Text)];
}
