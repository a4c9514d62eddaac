using Ash.Client.Tests.Scripted;

namespace Ash.Cli.Tests.Chat;

/// <summary><c>ash chat</c> with one message.</summary>
public sealed class ChatTests
{
    [Fact]
    public async Task OneMessage_PrintsTheAnswersText_AndNothingElse_OnStandardOutput()
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);

        var run = await home.RunAsync("chat", "greeter", "hi", "--model", "m1", "-e", "K=V", "--max-turns", "3");

        Assert.Equal((ExitCodes.Ok, "Let me look — 日本語.\nIt says hi.\n"), (run.ExitCode, run.Out));
        Assert.Equal($"· Bash: echo hi\n  → hi\nSession: {ChatApi.Session}\n", run.Error);
        var requests = api.Requests.ToList();
        Assert.Equal("""{"agent":"greeter","model":"m1","extraEnv":{"K":"V"}}""", requests[0].Body);
        Assert.Equal("""{"content":"hi","includePartialMessages":true,"model":"m1","maxTurns":3}""", requests[1].Body);
    }

    [Theory]
    [InlineData("-s")]
    [InlineData("--session-id")]
    [InlineData("--session")]
    public async Task Session_IsGoneOnWith_AndEnded_WhereThatIsAskedFor(string option)
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);

        var run = await home.RunAsync("chat", "greeter", "hi", option, $"{ChatApi.Session}", "--end");

        Assert.Equal((ExitCodes.Ok, "· Bash: echo hi\n  → hi\n"), (run.ExitCode, run.Error));
        Assert.Equal(
            [$"GET {ChatApi.Path}", $"POST {ChatApi.Path}/messages", $"DELETE {ChatApi.Path}"],
            api.Requests.Select(request => $"{request.Method} {request.Path}"));
    }

    [Fact]
    public async Task SessionOfAnotherAgent_IsNotTalkedTo()
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);

        var run = await home.RunAsync("chat", "other", "hi", "-s", $"{ChatApi.Session}");

        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains("is one of the agent greeter", run.Error, StringComparison.Ordinal);
        Assert.Single(api.Requests);
    }

    [Theory]
    [InlineData]
    [InlineData("-")]
    public async Task WhatIsPipedIn_IsOneMessage(params string[] message)
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);

        await home.RunAsync(
            ["chat", "greeter", .. message], input: "two\nlines\n", cancellationToken: TestContext.Current.CancellationToken);

        Assert.Contains("\"content\":\"two\\nlines\\n\"", api.Requests.Last().Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FailedTurn_IsTold_AndHasItsExitCode()
    {
        await using var api = await ChatApi.StartAsync();
        api.Turn = [new("1", "error", """{"error":"No key is set","code":"model_not_configured"}"""), new("2", "done", "{}")];
        using var home = ChatApi.HomeOf(api);

        var run = await home.RunAsync("chat", "greeter", "hi", "--end");

        Assert.Equal((ExitCodes.TurnNotCompleted, ""), (run.ExitCode, run.Out));
        Assert.Equal("Error: No key is set (model_not_configured)\n", run.Error);
        Assert.Equal("DELETE", api.Requests.Last().Method);
    }

    [Fact]
    public async Task LostConnection_IsBridged()
    {
        await using var api = await ChatApi.StartAsync();
        api.Cuts.Enqueue(300);
        api.Cuts.Enqueue(ScriptedApi.BeforeHeaders);
        using var home = ChatApi.HomeOf(api);

        var run = await home.RunAsync("chat", "greeter", "hi");

        Assert.Equal((ExitCodes.Ok, "Let me look — 日本語.\nIt says hi.\n"), (run.ExitCode, run.Out));
        Assert.Equal(1, api.TurnsStarted);
    }

    [Fact]
    public async Task CtrlC_InterruptsTheTurn_AndSaysWhichSessionItWas()
    {
        using var stop = new CancellationTokenSource();
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);
        using var output = new WatchedWriter(("So", stop.Cancel));
        ChatApi.HoldTurns(api);

        var run = await home.RunAsync(["chat", "greeter", "hi"], output: output, cancellationToken: stop.Token);

        Assert.Equal(ExitCodes.Cancelled, run.ExitCode);
        Assert.Equal($"Turn interrupted.\nSession: {ChatApi.Session}\n", run.Error);
    }

    [Fact]
    public async Task ConversationForPrograms_IsRefused_BeforeThereIsASession()
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);

        var run = await home.RunAsync(
            ["chat", "greeter", "--json"], isTerminal: true, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Empty(api.Requests);
    }
}
