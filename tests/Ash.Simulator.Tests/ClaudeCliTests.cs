using System.Text.Json.Nodes;

namespace Ash.Simulator.Tests;

/// <summary>What the scripted model is for: the real CLI takes it for the real API.</summary>
public sealed class ClaudeCliTests : IAsyncLifetime
{
    private SimulatorHost _host = null!; // set before each test

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(ClaudeCli.Executable is null, "The Claude CLI is not installed; eng/install-claude.sh does that.");
        _host = await SimulatorHost.StartAsync(new SimulatorOptions(), Cancelled);
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Turns_ShowTheWholeHistory_WhateverTheCliMadeOfIt()
    {
        await using var claude = ClaudeCli.Start(_host);

        var first = await claude.TakeTurnAsync("alpha");
        var pieces = first.Select(line => (string?)line["event"]?["delta"]?["text"]).OfType<string>().ToList();
        Assert.Equal(3, pieces.Count);
        Assert.Equal("[Mock] Turn 1 | History: alpha", string.Concat(pieces));
        Assert.Equal("[Mock] Turn 1 | History: alpha", ResultOf(first));

        await claude.TakeTurnAsync("beta", query: false);
        await claude.TakeTurnAsync("gamma", query: false);
        Assert.Equal("[Resumed session] Turn 4 | History: alpha | beta | gamma | delta", ResultOf(await claude.TakeTurnAsync("delta")));
    }

    [Fact]
    public async Task Tool_IsRun_AndItsResultComesBack()
    {
        await using var claude = ClaudeCli.Start(_host);
        var lines = await claude.TakeTurnAsync(
            """@@fake [{"text":"let me see","tool":{"name":"Bash","input":{"command":"echo hello-$((6*7))","description":"d"}}},{"text":"it said {{toolResult}}"}]""");

        Assert.Equal("it said hello-42", ResultOf(lines));
        Assert.Equal([0, 1], _host.Requests.Select(request => request.Reply!.Step));
        Assert.Equal("[Resumed session] Turn 2 | History: @@fake | again", ResultOf(await claude.TakeTurnAsync("again")));
    }

    [Fact]
    public async Task InterruptedTurn_LeavesNoTraceInTheHistory()
    {
        await using var claude = ClaudeCli.Start(_host);
        await claude.SendAsync(new()
        {
            ["type"] = "user",
            ["message"] = new JsonObject
            {
                ["role"] = "user",
                ["content"] = """@@fake {"text":"one two","chunk":4,"gate":"never","gateAfterChunks":1}""",
            },
        });
        await claude.ReadToAsync(line => (string?)line["event"]?["type"] == "content_block_delta");
        await claude.SendAsync(new()
        {
            ["type"] = "control_request",
            ["request_id"] = "1",
            ["request"] = new JsonObject { ["subtype"] = "interrupt" },
        });
        await claude.ReadToAsync(line => (string?)line["type"] == "result");
        var request = await _host.WaitForRequestAsync(request => request.Outcome is not null, Cancelled);

        Assert.Equal("client went away", request.Outcome!.Description);
        Assert.Equal("[Resumed session] Turn 2 | History: @@fake | after", ResultOf(await claude.TakeTurnAsync("after")));
    }

    [Fact]
    public async Task MessageSentWhileAToolRuns_IsInTheHistory()
    {
        await using var claude = ClaudeCli.Start(_host);
        await claude.SendAsync(new()
        {
            ["type"] = "user",
            ["message"] = new JsonObject
            {
                ["role"] = "user",
                ["content"] = """@@fake [{"tool":{"name":"Bash","input":{"command":"until [ -e go ]; do :; done","description":"d"}}},{"text":"{{history}}"}]""",
            },
        });
        await claude.ReadToAsync(line => (string?)line["type"] == "assistant");
        await claude.SendAsync(new()
        {
            ["type"] = "user",
            ["message"] = new JsonObject { ["role"] = "user", ["content"] = "meanwhile" },
            ["uuid"] = "00000000-0000-4000-8000-000000000001",
        });
        await claude.ReadToAsync(line => line.ToJsonString().Contains("queued", StringComparison.Ordinal));
        claude.Touch("go");

        Assert.Equal("@@fake | meanwhile", ResultOf(await claude.ReadToAsync(line => (string?)line["type"] == "result")));
    }

    [Fact]
    public async Task FailuresThatPass_AreRetriedByTheCli()
    {
        await using var claude = ClaudeCli.Start(_host); // one for all: each start costs a second

        foreach (var failure in (string[])[
            """{"error":{"status":529}}""",
            """{"drop":true}""",
            """{"text":"lost words","chunk":4,"dropAfterChunks":1}""",
            """{"text":"lost words","chunk":4,"streamError":{"status":529,"afterChunks":1}}"""])
        {
            _host.Reset();
            Assert.Equal("after all", ResultOf(await claude.TakeTurnAsync($$"""@@fake [{{failure}},{"text":"after all"}]""")));
            Assert.Equal(2, _host.Requests.Count);
        }
    }

    [Fact]
    public async Task ErrorForGood_IsTheTurnsResult()
    {
        await using var claude = ClaudeCli.Start(_host);
        var result = (await claude.TakeTurnAsync("""@@fake {"error":{"status":403,"message":"not yours"},"times":9}"""))[^1];

        Assert.True((bool)result["is_error"]!);
        Assert.Equal(403, (int)result["api_error_status"]!);
        Assert.Equal("permission_error", (string?)result["api_error_type"]);
        Assert.Contains("not yours", (string)result["result"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnixSocket_Serves()
    {
        var directory = Directory.CreateTempSubdirectory("ash-simulator-");

        try
        {
            await using var host = await SimulatorHost.StartAsync(
                new SimulatorOptions { RequiredKey = "dummy" }, Path.Combine(directory.FullName, "model.sock"), Cancelled);
            await using var claude = ClaudeCli.Start(host);

            Assert.Equal("[Mock] Turn 1 | History: alpha", ResultOf(await claude.TakeTurnAsync("alpha")));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static string? ResultOf(List<JsonNode> lines) => (string?)lines[^1]["result"];
}
