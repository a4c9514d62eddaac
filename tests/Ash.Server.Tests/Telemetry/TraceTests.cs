using System.Diagnostics;
using System.Net;
using Ash.Protocol.Api;
using Ash.Server.Broker;
using Ash.Server.Sessions;
using Ash.Server.Tests.Access;
using Ash.Server.Tests.InMemory;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Ash.Server.Tests.Telemetry;

/// <summary>Spans: whose they are, what they say, and what they never say.</summary>
public sealed class TraceTests
{
    private const int Limit = 60_000;
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string ClientSpan = "b7ad6b7169203331";
    private const string TraceParent = $"00-{Trace}-{ClientSpan}-01";

    [Fact(Timeout = Limit)]
    public async Task Turn_BelongsToItsClientsTrace()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Usage = """{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":5}""";
        var session = await server.CreateSessionAsync();
        using var spans = new SpanWatcher(server);

        var answer = await SendAsync(server, session, TraceParent);
        var turn = await spans.NextAsync("invoke_agent echo");
        var request = await spans.NextAsync("ash.session.message");

        Assert.Equal((Trace, ClientSpan), (turn.TraceId.ToHexString(), turn.ParentSpanId.ToHexString()));
        Assert.Equal((Trace, ClientSpan), (request.TraceId.ToHexString(), request.ParentSpanId.ToHexString()));
        Assert.Equal(request.SpanId, Assert.Single(turn.Links).Context.SpanId);
        Assert.Equal(request.Id, answer.Header("traceresponse"));
        Assert.Equal(
            ("invoke_agent", "anthropic", "echo", $"{session.Id}", 7L, 5L),
            (turn.GetTagItem("gen_ai.operation.name"), turn.GetTagItem("gen_ai.provider.name"), turn.GetTagItem("gen_ai.agent.name"),
                turn.GetTagItem("gen_ai.conversation.id"), turn.GetTagItem("gen_ai.usage.input_tokens"), turn.GetTagItem("gen_ai.usage.output_tokens")));
        Assert.Equal(["completed"], Assert.IsType<string[]>(turn.GetTagItem("gen_ai.response.finish_reasons")));
        Assert.Equal(ActivityStatusCode.Unset, turn.Status);
        Assert.Equal(
            ("POST", "/api/sessions/{id}/messages", 200, $"{session.Id}", "echo"),
            (request.GetTagItem("http.request.method"), request.GetTagItem("http.route"), request.GetTagItem("http.response.status_code"),
                request.GetTagItem("ash.session.id"), request.GetTagItem("ash.agent.name")));
    }

    [Theory(Timeout = Limit)]
    [InlineData(null)]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("<script>")]
    public async Task Turn_BelongsToItsRequest_WhereTheClientNamesNoTrace(string? traceParent)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        using var spans = new SpanWatcher(server);

        await SendAsync(server, session, traceParent);
        var turn = await spans.NextAsync("invoke_agent echo");
        var request = await spans.NextAsync("ash.session.message");

        Assert.Equal((request.TraceId, request.SpanId), (turn.TraceId, turn.ParentSpanId));
        Assert.Equal(default, request.ParentSpanId);
        Assert.Empty(turn.Links);
    }

    [Fact(Timeout = Limit)]
    public async Task QueuedTurn_KeepsItsParent_InTheStoreToo()
    {
        const string Another = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01";
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Manner = CliManner.Waits;
        var session = await server.CreateSessionAsync();
        using var spans = new SpanWatcher(server);
        using var first = await BeginAsync(server, session, TraceParent);
        using var second = await BeginAsync(server, session, Another);

        await using var db = await server.ReadStoreAsync();
        var stored = await db.Turns.OrderBy(turn => turn.Id).LastAsync(TestContext.Current.CancellationToken);
        await server.Client.Sessions.InterruptAsync(session.Id);
        var interrupted = await spans.NextAsync("invoke_agent echo");
        await server.Client.Sessions.EndAsync(session.Id);
        var ended = await spans.NextAsync("invoke_agent echo");

        Assert.Equal(Another, TurnOptions.Parse(stored.Options)!.Trace!.Parent); // It was sent.
        Assert.Equal(Trace, interrupted.TraceId.ToHexString());
        Assert.Equal(("1af7651916cd43dd8448eb211c80319c", "c7ad6b7169203331"), (ended.TraceId.ToHexString(), ended.ParentSpanId.ToHexString()));
    }

    [Fact(Timeout = Limit)]
    public async Task MessageThatJoinsATurn_AsksNothingOfItsProcess_ByItsTraceAlone()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Manner = CliManner.Waits;
        var session = await server.CreateSessionAsync();
        using var spans = new SpanWatcher(server);
        using var first = await BeginAsync(server, session, TraceParent, """{"content":"first","maxTurns":3}""");
        await IsToldAsync("first");

        using var second = await BeginAsync(server, session, TraceParent, """{"content":"second","onBusy":"steer"}""");

        await IsToldAsync("second");
        await using var db = await server.ReadStoreAsync();
        Assert.Equal(1, await db.Turns.CountAsync(TestContext.Current.CancellationToken));

        async Task IsToldAsync(string text)
        {
            while (!server.Host.Told.Any(line => line.Contains($"\"{text}\"", StringComparison.Ordinal)))
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    [Fact(Timeout = Limit)]
    public async Task NothingIsMade_WhereNobodyListens()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();

        var answer = await SendAsync(server, session, TraceParent);

        await using var db = await server.ReadStoreAsync();
        Assert.False(answer.Headers.Contains("traceresponse"));
        Assert.Null((await db.Turns.SingleAsync(TestContext.Current.CancellationToken)).Options);
        Assert.DoesNotContain(AppDomain.CurrentDomain.GetAssemblies(), static assembly => assembly.GetName().Name!.StartsWith("OpenTelemetry", StringComparison.Ordinal)); // Each has a name.
    }

    [Fact(Timeout = Limit)]
    public async Task Host_MakesNoSpanOfItsOwn()
    {
        // What the server makes is made by it alone: another span would follow whatever trace a sandbox names.
        await using var server = await InMemoryServer.StartAsync();

        Assert.False(server.Get<ILoggerFactory>().CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics").IsEnabled(LogLevel.Critical));
    }

    [Fact(Timeout = Limit)]
    public async Task Operations_HaveTheContractsSpans()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var spans = new SpanWatcher(server);

        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.PauseAsync(session.Id);
        await server.Client.Sessions.ResumeAsync(session.Id);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await server.Client.Sessions.ExecAsync(session.Id, new ExecRequest { Command = "true" });
        await server.Client.Sessions.StopAsync(session.Id);
        await server.Client.Sessions.ResumeAsync(session.Id);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await server.Client.Sessions.EndAsync(session.Id);
        await server.Http.AskAsync("GET", $"/api/sessions/{session.Id}");
        await spans.NextAsync("GET /api/sessions/{id}");

        Assert.Equal(
            ["ash.session.create", "ash.session.pause", "ash.session.resume", "ash.session.exec", "ash.session.stop", "ash.session.resume", "ash.session.end", "GET /api/sessions/{id}"],
            spans.Seen.Select(static span => span.DisplayName));
        Assert.All(spans.Seen, span => Assert.Equal($"{session.Id}", span.GetTagItem("ash.session.id")));
        Assert.Equal(
            [("warm", null), ("cold", "local")],
            spans.Seen.Where(static span => span.DisplayName == "ash.session.resume").Select(static span => (span.GetTagItem("ash.resume.path"), span.GetTagItem("ash.resume.source"))));
        Assert.All(spans.Seen.Where(static span => span.DisplayName != "ash.session.resume"), static span => Assert.Null(span.GetTagItem("ash.resume.path")));
    }

    [Fact(Timeout = Limit)]
    public async Task RequestWithoutAKey_IsNotKept()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var nobody = server.Connect("ash_wrong");
        using var spans = new SpanWatcher(server);

        var answer = await nobody.AskAsync("GET", "/api/sessions", null, ("traceparent", TraceParent));
        var span = await spans.NextAsync("GET /api/sessions");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.False(span.Recorded);
    }

    [Fact(Timeout = Limit)]
    public async Task Refusal_IsNamedByItsCode()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var spans = new SpanWatcher(server);

        await server.Http.AskAsync("POST", $"/api/sessions/{Guid.NewGuid()}/pause");
        var span = await spans.NextAsync("ash.session.pause");

        Assert.Equal("session_not_found", span.GetTagItem("error.type"));
    }

    [Fact(Timeout = Limit)]
    public async Task WhatUsersAndAgentsSay_IsInNoSpan()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Answer = "canary-answer";
        server.Host.Remark = """{"type":"assistant","error":"canary error","message":{"content":[{"type":"tool_use","id":"canary id","name":"canary name","input":{"a":"canary-input"}},{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"canary-command"}},{"type":"text","text":"canary-said"}]}}""";
        var session = await server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = "echo", SystemPrompt = "canary-prompt" });
        using var spans = new SpanWatcher(server);

        await SendAsync(server, session, TraceParent, "canary-text");
        await spans.NextAsync("ash.session.message");

        Assert.Contains(spans.Seen, static span => span.DisplayName == "execute_tool Bash");
        Assert.All(spans.Seen, static span => Assert.DoesNotContain("canary", SpanWatcher.TextOf(span), StringComparison.Ordinal));
    }

    [Fact(Timeout = Limit)]
    public async Task FailedTurn_HasAnErrorOfAFewWords()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.PauseAsync(session.Id);
        await Task.WhenAll(server.Host.Live.Select(static sandbox => sandbox.DieAsync()));
        server.Host.StartFailure = new Ash.Runner.Sandboxes.SandboxException("canary: no room in /secret/path");
        using var spans = new SpanWatcher(server);

        await SendAsync(server, session, TraceParent);
        var turn = await spans.NextAsync("invoke_agent echo");

        Assert.Equal((ActivityStatusCode.Error, "start_failed"), (turn.Status, turn.GetTagItem("error.type")));
        Assert.DoesNotContain("canary", SpanWatcher.TextOf(turn), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task ModelCall_IsAChildOfItsTurn()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Manner = CliManner.Waits;
        var session = await server.CreateSessionAsync();
        using var spans = new SpanWatcher(server);
        using var running = await BeginAsync(server, session, TraceParent);
        Assert.True(server.Get<SessionRuntimes>().TryFind(session.Id, out var runtime));
        Assert.True(server.Get<SandboxDirectory>().TryFind(runtime.SandboxId!, out var sandbox, out _)); // It has one.
        var turn = await runtime.ModelCallAsync(sandbox);

        server.Get<IModelCallAuthority>().Record(new ModelCall(
            sandbox.Id, turn!, ModelOperation.Messages, "claude-a", 10, 20, 30, 40, 200, null, 2, true, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0.5))); // It runs.
        server.Get<IModelCallAuthority>().Record(new ModelCall(
            sandbox.Id, turn!, ModelOperation.Messages, "write me a poem", 0, 0, 0, 0, 529, null, 1, true, TimeSpan.FromSeconds(1), null)); // As above.
        var answered = await spans.NextAsync("chat claude-a");
        var refused = await spans.NextAsync("chat");
        await server.Client.Sessions.InterruptAsync(session.Id);
        var ended = await spans.NextAsync("invoke_agent echo");

        Assert.Equal((ended.TraceId, ended.SpanId), (answered.TraceId, answered.ParentSpanId));
        Assert.Equal(ended.SpanId, refused.ParentSpanId);
        Assert.Equal(
            (ActivityKind.Client, TimeSpan.FromSeconds(1), "chat", "claude-a", 80L, 20L, 2),
            (answered.Kind, answered.Duration, answered.GetTagItem("gen_ai.operation.name"), answered.GetTagItem("gen_ai.request.model"),
                answered.GetTagItem("gen_ai.usage.input_tokens"), answered.GetTagItem("gen_ai.usage.output_tokens"), answered.GetTagItem("ash.model_call.attempts")));
        Assert.Equal((ActivityStatusCode.Error, "529"), (refused.Status, refused.GetTagItem("error.type")));
        Assert.Equal("claude-a", ended.GetTagItem("gen_ai.response.model"));
    }

    private static Task<Answer> SendAsync(InMemoryServer server, SessionInfo session, string? traceParent, string text = "hi") => server.Http.AskAsync(
        "POST", $"/api/sessions/{session.Id}/messages", $$"""{"content":"{{text}}"}""", traceParent is null ? [] : [("traceparent", traceParent)]);

    /// <summary>Sends a message; returns once it is accepted.</summary>
    private static async Task<HttpResponseMessage> BeginAsync(
        InMemoryServer server, SessionInfo session, string traceParent, string body = """{"content":"hi"}""")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/sessions/{session.Id}/messages")
        {
            Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("traceparent", traceParent);
        return (await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)).EnsureSuccessStatusCode();
    }
}
