using System.Net.Http.Headers;
using System.Text;
using Ash.Client;
using Ash.Client.Events;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>The server is killed at places that no test hits from outside; they exist in the test host only.</summary>
public sealed class HoldPointTests : IAsyncLifetime
{
    private const int Limit = 600_000;
    private readonly DirectoryInfo _holds = Directory.CreateTempSubdirectory("ash-holds-");
    private readonly FileSystemWatcher _watcher;
    private AshServer _server = null!; // Set before each test.

    public HoldPointTests() => _watcher = new FileSystemWatcher(_holds.FullName) { EnableRaisingEvents = true };

    public async ValueTask InitializeAsync() => _server = await AshServer.StartAsync(new AshServerOptions
    {
        Program = TestPaths.TestHost,
        Environment = new Dictionary<string, string?> { ["ASH_HOLD_DIRECTORY"] = _holds.FullName },
    });

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _watcher.Dispose();
        _holds.Delete(recursive: true);
    }

    [Theory(Timeout = Limit)]
    [InlineData("BeforeCommit")]
    [InlineData("AfterCommit")]
    [InlineData("AfterClaim")]
    public async Task Message_RunsOnce_WhereItIsSentAgainAfterTheServersDeath(string point)
    {
        var session = (await _server.CreateSessionAsync()).Id;
        await _server.SendAsync(session, "first");
        var held = Arm(point);

        var sending = PostAsync(session, "second", "one-key");
        await held;
        await _server.KillAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => sending);
        await _server.StartAgainAsync();
        var answer = await PostAsync(session, "second", "one-key");

        Assert.Contains("[Resumed session] Turn 2 | History: first | second", answer, StringComparison.Ordinal);
        Assert.Equal(answer, await PostAsync(session, "second", "one-key"));
        var facts = await _server.FactsOfAsync(session);
        Assert.Equal(2, facts.Count(fact => fact == "message"));
        Assert.Equal("[Resumed session] Turn 3 | History: first | second | third", (await _server.SendAsync(session, "third")).Result);
        Assert.Equal(3, _server.Model.Requests.Count(request => request.Path == "/v1/messages"));
    }

    [Theory(Timeout = Limit)]
    [InlineData("BeforeCommit")]
    [InlineData("AfterCommit")]
    [InlineData("BeforeAcknowledge")]
    public async Task Frame_IsStoredOnce_WhateverOfItTheBridgeMustSayAgain(string point)
    {
        var struck = await StruckTurn.BeginAsync(_server, Moment.WithinADelta);
        var viewer = new Viewer(_server, struck.Session, struck.Turn);
        var watching = viewer.WatchAsync();
        var held = Arm(point);

        _server.Model.Release(struck.Gate);
        await held;
        await _server.KillAsync();
        var isWhole = await watching;

        // Where all is stored and only the acknowledgement is held, the turn may have ended before the server did.
        if (await Record.ExceptionAsync(() => struck.Sending) is { } cutOff)
        {
            Assert.IsType<AshException>(cutOff, exactMatch: false);
        }

        await _server.StartAgainAsync();
        while (!isWhole && !await viewer.WatchAsync())
        {
            // As a client does: again from the last id.
        }

        var uncut = new Viewer(_server, struck.Session, struck.Turn);
        Assert.True(await uncut.WatchAsync());
        Assert.Equal(uncut.Text, viewer.Text);
        Assert.Equal(viewer.Ids.Distinct(), viewer.Ids);
        await AssertNoLineIsStoredTwiceAsync(struck.Session);
        await struck.AssertConversationIsIntactAsync(_server);
    }

    [Theory(Timeout = Limit)]
    [InlineData("BeforeCommit", 0)]
    [InlineData("AfterCommit", 1)]
    public async Task Session_StandsOrIsGone_WhereTheServerDiesOverItsCreation(string point, int expected)
    {
        await _server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "echo", SystemPrompt = "You are a test agent." });
        var held = Arm(point);

        var creating = _server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = "echo" }, "one-key");
        await held;
        await _server.KillAsync();
        await Assert.ThrowsAnyAsync<AshException>(() => creating);
        await _server.StartAgainAsync();

        // Nobody has to ask again for a session that was begun: the next server finishes it.
        var left = await _server.Client.Sessions.ListAsync();
        Assert.Equal(expected, left.Count);
        foreach (var begun in left)
        {
            await _server.WaitForEventAsync(begun.Id, e => e.Body is Lifecycle { Type: "sandbox.started" });
        }

        var session = await _server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = "echo" }, "one-key");
        Assert.Equal(session.Id, Assert.Single(await _server.Client.Sessions.ListAsync()).Id);
        Assert.Equal("[Mock] Turn 1 | History: first", (await _server.SendAsync(session.Id, "first")).Result);
    }

    [Fact(Timeout = Limit)]
    public async Task StoppedSession_LosesItsSandbox_WhereTheServerDiesOverItsClosing()
    {
        var session = (await _server.CreateSessionAsync()).Id;
        await _server.SendAsync(session, "first");
        var held = Arm("AfterCommit");

        var stopping = _server.Client.Sessions.StopAsync(session);
        await held;
        await _server.KillAsync();
        await Assert.ThrowsAnyAsync<AshException>(() => stopping);
        Assert.NotEmpty(_server.Processes());
        await _server.StartAgainAsync();

        await _server.WaitUntilNothingRunsAsync();
        Assert.Equal("stopped", (await _server.Client.Sessions.GetAsync(session)).Status);
        await _server.Client.Sessions.ResumeAsync(session);
        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await _server.SendAsync(session, "second")).Result);
    }

    private async Task AssertNoLineIsStoredTwiceAsync(Guid session)
    {
        var log = await _server.ReadLogAsync(session);
        var lines = log
            .Where(e => e.Name == "message")
            .Select(e => e.Json.TryGetProperty("uuid", out var uuid) ? uuid.GetString() : null)
            .Where(uuid => uuid is not null)
            .ToList();
        Assert.NotEmpty(lines);
        Assert.Equal(lines.Distinct(), lines);
    }

    /// <summary>The server stops at the next such point; completes when it has.</summary>
    private Task Arm(string point)
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _watcher.Renamed += (_, change) =>
        {
            if (change.Name == $"held-{point}")
            {
                held.TrySetResult();
            }
        };
        File.WriteAllText(Path.Combine(_holds.FullName, point), string.Empty);
        return held.Task;
    }

    private async Task<string> PostAsync(Guid session, string text, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/sessions/{session}/messages")
        {
            Content = new StringContent($$"""{"content":"{{text}}","includePartialMessages":true}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        request.Headers.Add("Idempotency-Key", key);
        using var answer = await _server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, body);
        return string.Join("\n\n", body.Split("\n\n").Where(frame => !frame.StartsWith(':')));
    }
}
