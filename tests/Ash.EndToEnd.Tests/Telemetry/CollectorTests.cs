using System.Net;
using System.Net.Sockets;
using System.Text;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Telemetry;

/// <summary>The published server and an OpenTelemetry collector: what it is sent, and what it never is.</summary>
public sealed class CollectorTests
{
    private const int TimeLimit = 120_000;
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string ClientSpan = "b7ad6b7169203331";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = TimeLimit)]
    public async Task Turn_IsSentWithItsCallsAndTools_InItsClientsTrace_AndNothingThatWasSaid()
    {
        await using var collector = await Collector.StartAsync();
        await using var server = await StartAsync(collector.Http, "http/protobuf", ("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=canary-collector"), ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"));
        var session = await server.CreateSessionAsync("You are canary-prompt.");

        var traceResponse = await SendAsync(server, session.Id, """
            @@fake [{"tool":{"name":"Bash","input":{"command":"echo canary-output","description":"canary-description"}}},{"text":"canary-answer"}]
            """);
        var turn = await collector.FindSpanAsync(static span => span.Name.StartsWith("invoke_agent ", StringComparison.Ordinal), Cancelled);
        var tool = await collector.FindSpanAsync(static span => span.Name == "execute_tool Bash", Cancelled);
        var call = await collector.FindSpanAsync(static span => span.Name.StartsWith("chat ", StringComparison.Ordinal), Cancelled);
        var request = await collector.FindSpanAsync(static span => span.Name == "ash.session.message", Cancelled);
        await Task.WhenAll(collector.MetricAsync("ash.turns"), collector.MetricAsync("gen_ai.client.token.usage"), collector.MetricAsync("ash.up"), collector.MetricAsync("ash.resume"));

        Assert.All([turn, tool, call, request], static span => Assert.Equal(Trace, span.TraceId));
        Assert.Equal((ClientSpan, ClientSpan), (turn.ParentId, request.ParentId));
        Assert.Equal((turn.SpanId, turn.SpanId), (tool.ParentId, call.ParentId));
        Assert.Equal($"00-{Trace}-{request.SpanId}-01", traceResponse);
        Assert.Equal(
            ("invoke_agent", "anthropic", $"{session.Id}", session.AgentName, "completed"),
            (turn.Tags["gen_ai.operation.name"], turn.Tags["gen_ai.provider.name"], turn.Tags["gen_ai.conversation.id"], turn.Tags["gen_ai.agent.name"], turn.Tags["gen_ai.response.finish_reasons"]));
        Assert.Equal(("chat", "execute_tool", "Bash"), (call.Tags["gen_ai.operation.name"], tool.Tags["gen_ai.operation.name"], tool.Tags["gen_ai.tool.name"]));
        Assert.Equal($"chat {call.Tags["gen_ai.request.model"]}", call.Name);
        Assert.All([turn, call], static span => Assert.NotEqual("0", span.Tags["gen_ai.usage.output_tokens"]));
        var resource = await collector.Resource;
        Assert.Equal(("ash-coordinator", "test"), (resource["service.name"], resource["deployment.environment.name"]));

        Assert.Contains(collector.Headers, static headers => headers.Contains("x-collector-key: canary-collector", StringComparison.Ordinal));
        foreach (var secret in new[] { "canary", server.ModelKey, server.ApiKey, "ash_sandbox_" })
        {
            Assert.All(collector.Bodies, body => Assert.True(body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0, secret));
        }

        Assert.DoesNotContain("canary", server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Model.Requests, static call => call.Headers.Keys.Any(static name => name.StartsWith("trace", StringComparison.OrdinalIgnoreCase)));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task Grpc_IsTheOtherForm_AndTheOne_WhereNoneIsNamed()
    {
        await using var collector = await Collector.StartAsync();
        await using var server = await StartAsync(collector.Grpc, protocol: null, ("OTEL_SERVICE_NAME", "my-ash"));
        var session = await server.CreateSessionAsync();

        await SendAsync(server, session.Id, "hello");
        var turn = await collector.FindSpanAsync(static span => span.Name.StartsWith("invoke_agent ", StringComparison.Ordinal), Cancelled);
        await collector.MetricAsync("ash.turns");

        Assert.Equal((Trace, ClientSpan), (turn.TraceId, turn.ParentId));
        Assert.Equal("my-ash", (await collector.Resource)["service.name"]);
    }

    [Fact(Timeout = TimeLimit)]
    public async Task TurnThatANextServerEnds_IsStillInItsClientsTrace()
    {
        await using var collector = await Collector.StartAsync();
        await using var server = await StartAsync(collector.Http, "http/protobuf");
        var session = await server.CreateSessionAsync();
        var running = SendAsync(server, session.Id, """@@fake [{"text":"one two three","chunk":3,"gateAfterChunks":1,"gate":"next-server"}]""");
        await server.Model.WaitUntilHeldAsync("next-server", Cancelled);

        await server.KillAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => running);
        await server.StartAgainAsync();
        await server.Client.Sessions.InterruptAsync(session.Id, Cancelled);
        var turn = await collector.FindSpanAsync(static span => span.Name.StartsWith("invoke_agent ", StringComparison.Ordinal), Cancelled);

        Assert.Equal((Trace, ClientSpan, "interrupted"), (turn.TraceId, turn.ParentId, turn.Tags["gen_ai.response.finish_reasons"]));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task Sandbox_SeesNothingOfTheCollector()
    {
        await using var collector = await Collector.StartAsync();
        await using var server = await StartAsync(collector.Http, "http/protobuf", ("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=canary-collector"));
        var session = await server.CreateSessionAsync();
        await server.SendAsync(session.Id, "hello");

        var environment = await server.ExecAsync(session.Id, "cat /proc/*/environ | tr '\\0' '\\n'");

        Assert.Contains($"ASH_SESSION_ID={session.Id}", environment.Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain("OTEL_", environment.Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", environment.Stdout, StringComparison.Ordinal);
    }

    [Fact(Timeout = TimeLimit)]
    public async Task CollectorThatNeverAnswers_HoldsUpNothing()
    {
        // It takes connections, and says nothing: worse than one that is not there.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var server = await StartAsync(new Uri($"http://{silent.LocalEndpoint}"), "http/protobuf");
        var session = await server.CreateSessionAsync();

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("completed", (await server.SendAsync(session.Id, "hello")).Reason);
        }

        Assert.Equal(0, await server.StopAsync());
    }

    [Fact(Timeout = TimeLimit)]
    public async Task WithoutACollector_NoLibraryOfOpenTelemetryIsLoaded()
    {
        await using var collector = await Collector.StartAsync();
        await using var without = await AshServer.StartAsync();
        await without.SendAsync((await without.CreateSessionAsync()).Id, "hello");
        await using var with = await StartAsync(collector.Http, "http/protobuf");

        Assert.DoesNotContain("OpenTelemetry", await MapsAsync(without), StringComparison.Ordinal);
        Assert.Contains("OpenTelemetry", await MapsAsync(with), StringComparison.Ordinal);
    }

    private static Task<AshServer> StartAsync(Uri endpoint, string? protocol, params (string Name, string Value)[] more) => AshServer.StartAsync(new AshServerOptions
    {
        Environment = new Dictionary<string, string?>(more.Select(static one => KeyValuePair.Create(one.Name, (string?)one.Value)))
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint.ToString(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol,
            ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
        },
    });

    /// <summary>Sends a message as part of the client's trace, and reads its stream to the end.</summary>
    /// <returns>The request's span, as the server names it.</returns>
    private static async Task<string> SendAsync(AshServer server, Guid session, string text)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/sessions/{session}/messages")
        {
            Content = new StringContent(System.Text.Json.JsonSerializer.Serialize(new { content = text.Trim() }), Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("traceparent", $"00-{Trace}-{ClientSpan}-01");
        using var answer = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var span = answer.Headers.GetValues("traceresponse").Single();
        Assert.Contains("event: done", await answer.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        return span;
    }

    private static Task<string> MapsAsync(AshServer server) => File.ReadAllTextAsync($"/proc/{server.Pid}/maps", Cancelled);
}
