using Ash.Client.Tests.Scripted;
using Microsoft.AspNetCore.Http;

namespace Ash.Cli.Tests.Chat;

/// <summary><c>ash chat</c> on a terminal, without a message.</summary>
public sealed class ConversationTests
{
    private static readonly string Farewell = $"Session: {ChatApi.Session}\nGo on with: ash chat greeter -s {ChatApi.Session}\n";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PersonAndAgent_TakeTurns_UntilCtrlD()
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);
        home.Say = Saying("hi", "  ", "and more");

        var run = await home.RunAsync(["chat", "greeter"], isTerminal: true, cancellationToken: Stop);

        const string Answer = "Let me look — 日本語.\n· Bash: echo hi\n  → hi\nIt says hi.\n";
        Assert.Equal((ExitCodes.Ok, $"> {Answer}> > {Answer}> \n"), (run.ExitCode, run.Out));
        Assert.EndsWith(Farewell, run.Error, StringComparison.Ordinal);
        Assert.Equal(["hi", "and more"], Messages(api));
    }

    [Fact]
    public async Task Exit_Leaves_AndIsNotSaidToTheAgent()
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);
        home.Say = Saying("/exit", "never said");

        var run = await home.RunAsync(["chat", "greeter", "--end"], isTerminal: true, cancellationToken: Stop);

        Assert.Equal((ExitCodes.Ok, "> "), (run.ExitCode, run.Out));
        Assert.Empty(Messages(api));
        Assert.Equal("DELETE", api.Requests.Last().Method);
        Assert.DoesNotContain("Go on", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CtrlC_InterruptsTheTurn_AndThePromptIsThereAgain()
    {
        await using var api = await ChatApi.StartAsync();
        ChatApi.HoldTurns(api);
        using var home = ChatApi.HomeOf(api);
        home.Say = Saying("hi");
        using var output = new WatchedWriter(("So", () => home.Interrupts.Press()));

        var run = await home.RunAsync(["chat", "greeter"], isTerminal: true, output: output, cancellationToken: Stop);

        Assert.Equal((ExitCodes.Ok, "> So\n> \n"), (run.ExitCode, output.ToString()));
        Assert.Contains("Turn interrupted.\n" + Farewell, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Error", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecondCtrlC_AmidATurn_Leaves()
    {
        await using var api = await ChatApi.StartAsync();
        ChatApi.HoldTurns(api);
        using var home = ChatApi.HomeOf(api);
        home.Say = Saying("hi");
        api.On($"POST {ChatApi.Path}/interrupt", async context =>
        {
            home.Interrupts.Press();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var output = new WatchedWriter(("So", () => home.Interrupts.Press()));

        var run = await home.RunAsync(["chat", "greeter"], isTerminal: true, output: output, cancellationToken: Stop);

        Assert.Equal((ExitCodes.Ok, "> So\n"), (run.ExitCode, output.ToString()));
        Assert.Contains("The turn may go on.\n" + Farewell, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CtrlC_AtThePrompt_Asks_AndTheSecondLeaves()
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);
        using var typing = new ManualResetEventSlim();
        home.Say = () =>
        {
            typing.Wait(Stop);
            return null;
        };
        using var output = new WatchedWriter(("> ", () => home.Interrupts.Press()), ("\n> ", () => home.Interrupts.Press()));

        var run = await home.RunAsync(["chat", "greeter"], isTerminal: true, output: output, cancellationToken: Stop);
        typing.Set();

        Assert.Equal((ExitCodes.Ok, "> \n> \n"), (run.ExitCode, output.ToString()));
        Assert.Contains("Ctrl-C again leaves, and so does Ctrl-D.\n" + Farewell, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatGoesWrongWithATurn_IsTold_AndTheConversationGoesOn()
    {
        await using var api = await ChatApi.StartAsync();
        var turns = 0;
        api.On($"POST {ChatApi.Path}/messages", async context =>
        {
            context.Response.StatusCode = ++turns == 1 ? 409 : 200;
            await context.Response.WriteAsync(turns == 1
                ? """{"error":"A turn runs","statusCode":409,"code":"session_busy"}"""
                : "id: 1\nevent: error\ndata: {\"error\":\"Words \\u001b[2J\"}\n\nid: 2\nevent: done\ndata: {}\n\n");
        });
        using var home = ChatApi.HomeOf(api);
        home.Say = Saying("one", "two");

        var run = await home.RunAsync(["chat", "greeter"], isTerminal: true, cancellationToken: Stop);

        Assert.Equal((ExitCodes.Ok, "> > > \n"), (run.ExitCode, run.Out));
        Assert.Contains("Failed: A turn runs (409, session_busy)\nError: Words [2J\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SessionThatIsGone_EndsTheConversation()
    {
        await using var api = await ChatApi.StartAsync();
        api.On($"POST {ChatApi.Path}/messages", """{"error":"Session not found","statusCode":404}""", 404);
        using var home = ChatApi.HomeOf(api);
        home.Say = Saying("one", "two");

        var run = await home.RunAsync(["chat", "greeter"], isTerminal: true, cancellationToken: Stop);

        Assert.Equal((ExitCodes.NotFound, "> "), (run.ExitCode, run.Out));
    }

    private static Func<string?> Saying(params string[] messages)
    {
        var left = new Queue<string>(messages);
        return () => left.TryDequeue(out var next) ? next : null;
    }

    private static IEnumerable<string> Messages(ScriptedApi api) => api.Requests
        .Where(request => request.Path.EndsWith("/messages", StringComparison.Ordinal))
        .Select(request => System.Text.Json.JsonElement.Parse(request.Body).GetProperty("content").GetString()!); // It is text.
}
