using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Ash.Simulator.Requests;
using Ash.Simulator.Scripts;
using static Ash.Simulator.Tests.ModelRequests;

namespace Ash.Simulator.Tests;

public sealed class SimulatorHostTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private SimulatorHost _host = null!; // set before each test
    private ModelClient _client = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _host = await SimulatorHost.StartAsync(new SimulatorOptions { Clock = _clock }, Cancelled);
        _client = new(_host);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Message_AnswersFromTheConversation_WithoutAScript()
    {
        var (status, message) = await _client.SendAsync(Body(User("a"), Assistant("x"), User("b")));

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("message", (string?)message["type"]);
        Assert.Equal("assistant", (string?)message["role"]);
        Assert.Equal("claude-test", (string?)message["model"]);
        Assert.Equal("[Resumed session] Turn 2 | History: a | b", (string?)message["content"]![0]!["text"]);
        Assert.Equal("end_turn", (string?)message["stop_reason"]);
    }

    [Fact]
    public async Task Stream_HasTheEventsOfTheApi_AndTheDefaultAnswerInPieces()
    {
        var events = await _client.StreamAsync("hello");

        Assert.Equal(
            ["message_start", "ping", "content_block_start", "content_block_delta", "content_block_delta", "content_block_delta",
             "content_block_stop", "message_delta", "message_stop"],
            events.Types);
        Assert.Equal("[Mock] Turn 1 | History: hello", string.Concat(events.Pieces()));
        Assert.Equal("""{"type":"text","text":""}""", events[2]["content_block"]!.ToJsonString());
        Assert.Empty(events[0]["message"]!["content"]!.AsArray());
        Assert.Null(events[0]["message"]!["stop_reason"]);
        Assert.Equal("end_turn", (string?)events[^2]["delta"]!["stop_reason"]);
    }

    [Fact]
    public async Task Tokens_AreAQuarterOfTheCharacters()
    {
        var body = Body(User(new string('x', 400)));
        var characters = body["messages"]!.ToJsonString().Length;
        var (_, message) = await _client.SendAsync(body);
        using var counted = await _client.Http.PostAsJsonAsync("/v1/messages/count_tokens", body, Cancelled);
        var count = await counted.Content.ReadFromJsonAsync<JsonNode>(Cancelled);

        Assert.Equal((characters + 3) / 4, (int)message["usage"]!["input_tokens"]!);
        Assert.Equal((((string)message["content"]![0]!["text"]!).Length + 3) / 4, (int)message["usage"]!["output_tokens"]!);
        Assert.Equal((characters + 3) / 4, (int)count!["input_tokens"]!);
    }

    [Fact]
    public async Task Usage_IsWhatTheStepSays()
    {
        var events = await _client.StreamAsync("""@@fake {"text":"x","usage":{"input_tokens":7,"output_tokens":9,"cache_read_input_tokens":3,"extra":{"a":1}}}""");

        Assert.Equal(7, (int)events[0]["message"]!["usage"]!["input_tokens"]!);
        Assert.Equal(
            """{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":3,"output_tokens":9,"extra":{"a":1},"service_tier":"standard"}""",
            events[^2]["usage"]!.ToJsonString());
    }

    [Fact]
    public async Task Blocks_AreThinkingThenTextThenTools()
    {
        var events = await _client.StreamAsync(
            """@@fake {"text":["one","two"],"thinking":"hm","tool":{"name":"Bash","input":{"command":"ls"},"id":"toolu_7"},"blocks":[{"type":"server_tool_use","id":"s"}]}""");
        var starts = events.Where(sent => (string?)sent["type"] == "content_block_start").Select(sent => sent["content_block"]!).ToList();

        Assert.Equal(["thinking", "text", "text", "tool_use", "server_tool_use"], starts.Types);
        Assert.Equal(["hm"], events.Pieces("thinking"));
        Assert.Single(events.Pieces("signature"));
        Assert.Equal(["one", "two"], events.Pieces());
        Assert.Equal(["""{"command":"ls"}"""], events.Pieces("partial_json"));
        Assert.Equal("""{"type":"tool_use","id":"toolu_7","name":"Bash","input":{}}""", starts[3].ToJsonString());
        Assert.Equal("tool_use", (string?)events[^2]["delta"]!["stop_reason"]);
    }

    [Fact]
    public async Task Message_HoldsTheSameBlocks_WithoutAStream()
    {
        var (_, message) = await _client.SendAsync(
            """@@fake {"text":"one","thinking":"hm","tool":{"name":"Bash","input":{"command":"ls"}},"stopReason":"pause_turn","model":"other"}""");

        Assert.Equal(["thinking", "text", "tool_use"], message["content"]!.AsArray().OfType<JsonNode>().Types);
        Assert.Equal("ls", (string?)message["content"]![2]!["input"]!["command"]);
        Assert.Equal("pause_turn", (string?)message["stop_reason"]);
        Assert.Equal("other", (string?)message["model"]);
    }

    [Fact]
    public async Task ToolThenText_IsOneScript()
    {
        const string Prompt = """@@fake [{"tool":{"name":"Bash","input":{"command":"echo"}}},{"text":"it said {{toolResult}}"}]""";
        var (_, call) = await _client.SendAsync(Prompt);
        var (_, answer) = await _client.SendAsync(Body(User(Prompt), Assistant(ToolUse()), User(ToolResult("42"))));

        Assert.Equal("tool_use", (string?)call["stop_reason"]);
        Assert.Equal("it said 42", (string?)answer["content"]![0]!["text"]);
    }

    [Theory]
    [InlineData(400, "invalid_request_error")]
    [InlineData(401, "authentication_error")]
    [InlineData(403, "permission_error")]
    [InlineData(404, "not_found_error")]
    [InlineData(413, "request_too_large")]
    [InlineData(429, "rate_limit_error")]
    [InlineData(500, "api_error")]
    [InlineData(529, "overloaded_error")]
    public async Task Error_HasTheShapeOfTheApi(int status, string type)
    {
        _host.Queue(new ScriptStep
        {
            Error = new() { Status = status, Message = "no", Headers = new() { ["retry-after"] = "7" } },
        });
        using var response = await _client.OpenStreamAsync("hello");
        var body = await response.Content.ReadFromJsonAsync<JsonNode>(Cancelled);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("7", Assert.Single(response.Headers.GetValues("retry-after")));
        Assert.Equal("error", (string?)body!["type"]);
        Assert.Equal(type, (string?)body["error"]!["type"]);
        Assert.Equal("no", (string?)body["error"]!["message"]);
        Assert.Equal(Assert.Single(response.Headers.GetValues("request-id")), (string?)body["request_id"]);
    }

    [Fact]
    public async Task Error_MayHaveABodyOfItsOwn()
    {
        var (status, body) = await _client.SendAsync("""@@fake {"error":{"status":502,"body":{"gateway":"down"}}}""");

        Assert.Equal(HttpStatusCode.BadGateway, status);
        Assert.Equal("""{"gateway":"down"}""", body.ToJsonString());
    }

    [Fact]
    public async Task StreamError_EndsTheStreamWithAnErrorEvent()
    {
        var events = await _client.StreamAsync("""@@fake {"text":"abcdef","chunk":2,"streamError":{"status":529,"message":"busy","afterChunks":2}}""");

        Assert.Equal(["ab", "cd"], events.Pieces());
        Assert.Equal("""{"type":"error","error":{"type":"overloaded_error","message":"busy"}}""", events[^1].ToJsonString());
    }

    [Fact]
    public async Task Drop_ClosesTheConnection_WithoutAnAnswer()
    {
        await Assert.ThrowsAsync<HttpRequestException>(() => _client.SendAsync("""@@fake [{"drop":true},{"text":"ok"}]"""));
        var (status, _) = await _client.SendAsync("""@@fake [{"drop":true},{"text":"ok"}]""");

        Assert.Equal(HttpStatusCode.OK, status);
        var dropped = await EndOfAsync(1);
        Assert.Equal((null, "dropped"), (dropped.Status, dropped.Description));
        Assert.Equal("200", (await EndOfAsync(2)).Description);
    }

    [Theory]
    [InlineData(0, new string[0])]
    [InlineData(2, new[] { "ab", "cd" })]
    [InlineData(9, new[] { "ab", "cd", "ef" })]
    public async Task DropAfterChunks_ClosesTheConnection_OnceAllPiecesBeforeItHaveArrived(int after, string[] expected)
    {
        using var response = await _client.OpenStreamAsync($$"""@@fake {"text":"abcdef","chunk":2,"dropAfterChunks":{{after}}}""");
        var events = new List<JsonNode>();

        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            await foreach (var sent in ModelClient.ReadEventsAsync(response))
            {
                events.Add(sent);
            }
        });

        Assert.Equal(expected, events.Pieces());
        Assert.DoesNotContain("message_delta", events.Types);
        var end = await EndOfAsync(1);
        Assert.Equal((200, "dropped"), (end.Status, end.Description));
    }

    [Fact]
    public async Task Hang_NeverAnswers_UntilTheClientGoes()
    {
        using var gone = new CancellationTokenSource();
        var reply = _client.OpenStreamAsync(Body(User("""@@fake {"hang":true}""")), gone.Token);
        await _host.WaitForRequestAsync(request => request.Reply is not null, Cancelled);
        Assert.False(reply.IsCompleted);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reply);
        Assert.Equal("client went away", (await EndOfAsync(1)).Description);
    }

    [Fact]
    public async Task Hang_ClosesTheConnection_AfterItsTime()
    {
        var reply = _client.SendAsync("""@@fake {"hang":5000}""");
        await _clock.AdvanceToAlarmAsync(TimeSpan.FromSeconds(5), Cancelled);

        await Assert.ThrowsAsync<HttpRequestException>(() => reply);
    }

    [Fact]
    public async Task Delays_HoldTheReply_WhereTheStepSays()
    {
        var opening = _client.OpenStreamAsync("""@@fake {"text":"abcd","chunk":2,"delayMs":1000,"firstTokenDelayMs":200,"chunkDelayMs":30}""");
        await _clock.AdvanceToAlarmAsync(TimeSpan.FromSeconds(1), Cancelled);
        using var response = await opening;
        await using var events = ModelClient.ReadEventsAsync(response).GetAsyncEnumerator(Cancelled);

        Assert.Equal("message_start", await NextAsync(events));
        Assert.Equal("ping", await NextAsync(events));
        var next = NextAsync(events);
        Assert.False(next.IsCompleted);
        await _clock.AdvanceToAlarmAsync(TimeSpan.FromMilliseconds(200), Cancelled);
        Assert.Equal("content_block_start", await next);
        Assert.Equal("content_block_delta", await NextAsync(events));
        await _clock.AdvanceToAlarmAsync(TimeSpan.FromMilliseconds(30), Cancelled);
        Assert.Equal("content_block_delta", await NextAsync(events));
        await _clock.AdvanceToAlarmAsync(TimeSpan.FromMilliseconds(30), Cancelled);
        Assert.Equal("content_block_stop", await NextAsync(events));
        Assert.Equal("message_delta", await NextAsync(events));
        Assert.Equal("message_stop", await NextAsync(events));
    }

    [Fact]
    public async Task Gate_HoldsTheReply_BeforeItsFirstByte()
    {
        var reply = _client.SendAsync("""@@fake {"text":"held","gate":"g"}""");
        await _host.WaitUntilHeldAsync("g", Cancelled);
        Assert.False(reply.IsCompleted);

        Assert.Equal(1, _host.Release("g"));
        Assert.Equal(HttpStatusCode.OK, (await reply).Status);
    }

    [Fact]
    public async Task GateAfterChunks_HoldsTheReply_InMidStream()
    {
        using var response = await _client.OpenStreamAsync("""@@fake {"text":"abcdef","chunk":2,"gate":"g","gateAfterChunks":2}""");
        await _host.WaitUntilHeldAsync("g", Cancelled);
        var events = new List<JsonNode>();

        await foreach (var sent in ModelClient.ReadEventsAsync(response))
        {
            events.Add(sent);

            if (events.Pieces().SequenceEqual(["ab", "cd"]))
            {
                _host.Release("g");
            }
        }

        Assert.Equal(["ab", "cd", "ef"], events.Pieces());
        Assert.Equal("message_stop", events.Types.Last());
    }

    [Fact]
    public async Task HeldReply_IsGivenUp_WhenTheClientGoes()
    {
        using (var response = await _client.OpenStreamAsync("""@@fake {"text":"abcdef","gate":"g","gateAfterChunks":0}"""))
        {
            await _host.WaitUntilHeldAsync("g", Cancelled);
        }

        var end = await EndOfAsync(1);
        Assert.Equal((200, "client went away"), (end.Status, end.Description));
        Assert.Equal(0, _host.Release("g"));
    }

    [Fact]
    public async Task Disposal_BreaksOffWhatStillRuns()
    {
        var host = await SimulatorHost.StartAsync(new SimulatorOptions(), Cancelled);
        using var client = new ModelClient(host);
        var hanging = client.SendAsync("""@@fake {"hang":true}""");
        using var held = await client.OpenStreamAsync("""@@fake {"text":"a","gate":"g","gateAfterChunks":0}""");
        await host.WaitForRequestAsync(request => request.Reply?.Prompt.Contains("hang", StringComparison.Ordinal) ?? false, Cancelled);
        await host.WaitUntilHeldAsync("g", Cancelled);

        await host.DisposeAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => hanging);
        await Assert.ThrowsAnyAsync<IOException>(async () => await ModelClient.ReadEventsAsync(held).ToListAsync(Cancelled));
        Assert.All(host.Requests, request => Assert.Equal("stopped", request.Outcome?.Description));
    }

    [Fact]
    public async Task Events_AreSentAsTheyAre()
    {
        var events = await _client.StreamAsync("""@@fake {"events":[{"type":"message_start","odd":1},{"type":"new_kind","text":"{{model}}"}]}""");

        Assert.Equal(["""{"type":"message_start","odd":1}""", """{"type":"new_kind","text":"claude-test"}"""], events.Select(sent => sent.ToJsonString()));
    }

    [Fact]
    public async Task Headers_OfScriptAndStep_AreSent()
    {
        _host.SetScript("""{"headers":{"x-all":"1"},"default":{"text":"hi","headers":{"anthropic-ratelimit-requests-remaining":"0"}}}""");
        using var response = await _client.OpenStreamAsync("hello");

        Assert.Equal("1", Assert.Single(response.Headers.GetValues("x-all")));
        Assert.Equal("0", Assert.Single(response.Headers.GetValues("anthropic-ratelimit-requests-remaining")));
    }

    [Theory]
    [InlineData("""@@fake [{"texd":"a"}]""", "texd")]
    [InlineData("""@@fake [{"text":"a" """, "@@fake")]
    public async Task WrongScriptInAPrompt_IsABadRequest(string prompt, string part)
    {
        var (status, body) = await _client.SendAsync(prompt);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(part, (string)body["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task WrongBody_IsABadRequest(string body)
    {
        using var response = await _client.Http.PostAsync("/v1/messages", new StringContent(body, Encoding.UTF8, "application/json"), Cancelled);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task TooLargeBody_IsRefusedInTheShapeOfTheApi_WithoutReadingIt()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages");
        request.Headers.ExpectContinue = true; // else the body is on its way as the answer comes
        request.Content = new ByteArrayContent(new byte[SimulatorOptions.MaxBodyBytes + 1]);
        using var response = await _client.Http.SendAsync(request, Cancelled);
        var body = await response.Content.ReadFromJsonAsync<JsonNode>(Cancelled);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("request_too_large", (string?)body!["error"]!["type"]);
    }

    [Fact]
    public async Task Models_AreListed()
    {
        Assert.NotEmpty((await _client.GetAsync("/v1/models"))["data"]!.AsArray());
        _host.SetScript("""{"models":["m-1","m-2"]}""");
        var models = await _client.GetAsync("/v1/models");

        Assert.Equal(["m-1", "m-2"], models["data"]!.AsArray().Select(model => (string)model!["id"]!));
        Assert.Equal("m-2", (string?)models["last_id"]);
        Assert.Equal("m-1", (string?)(await _client.GetAsync("/v1/models/m-1"))["id"]);
    }

    [Fact]
    public async Task UnknownPath_IsTheApis404_AndIsRecorded()
    {
        using var response = await _client.Http.GetAsync("/api/hello", Cancelled);
        var body = await response.Content.ReadFromJsonAsync<JsonNode>(Cancelled);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("not_found_error", (string?)body!["error"]!["type"]);
        Assert.Equal("/api/hello", Assert.Single(_host.Requests).Path);
    }

    [Theory]
    [InlineData("HEAD", "/")]
    [InlineData("HEAD", "/v1/messages")]
    [InlineData("HEAD", "/v1/models")]
    [InlineData("HEAD", "/anything")]
    [InlineData("GET", "/")]
    public async Task SignOfLife_IsOk(string method, string path)
    {
        using var request = new HttpRequestMessage(new(method), path);
        using var response = await _client.Http.SendAsync(request, Cancelled);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("x-api-key", "right", 200)]
    [InlineData("x-api-key", "wrong", 401)]
    [InlineData("Authorization", "Bearer right", 200)]
    [InlineData("Authorization", "Bearer wrong", 401)]
    [InlineData("x-other", "right", 401)]
    public async Task RequiredKey_IsAskedFor(string header, string value, int status)
    {
        await using var host = await SimulatorHost.StartAsync(new SimulatorOptions { RequiredKey = "right" }, Cancelled);
        using var client = host.CreateClient();
        client.DefaultRequestHeaders.Add(header, value);
        using var response = await client.PostAsJsonAsync("/v1/messages", Body(User("hello")), Cancelled);

        Assert.Equal(status, (int)response.StatusCode);

        if (status == 401)
        {
            var body = await response.Content.ReadFromJsonAsync<JsonNode>(Cancelled);
            Assert.Equal("authentication_error", (string?)body!["error"]!["type"]);
        }
    }

    [Fact]
    public async Task Request_IsRecorded_WithWhatTheModelSaw()
    {
        _client.Http.DefaultRequestHeaders.Add("x-claude-code-session-id", "s-1");
        var arrives = _host.WaitForRequestAsync(request => request.SessionId == "s-1", Cancelled);
        await _client.SendAsync(Body(User("a"), Assistant("x"), User("b")));
        var request = await arrives;

        Assert.Equal(("POST", "/v1/messages", "?beta=true"), (request.Method, request.Path, request.Query));
        Assert.Equal(3, request.ReadBody().GetProperty("messages").GetArrayLength());
        Assert.Equal(["a", "b"], request.Reply!.UserTexts);
        Assert.Equal("default", request.Reply.Source);
        Assert.Equal(200, (await EndOfAsync(request.Number)).Status);
    }

    [Fact]
    public async Task LogDirectory_GetsEachRequest()
    {
        var directory = Directory.CreateTempSubdirectory("ash-simulator-");

        try
        {
            await using var host = await SimulatorHost.StartAsync(new SimulatorOptions { LogDirectory = directory.FullName }, Cancelled);
            using var client = new ModelClient(host);
            await client.SendAsync("hello");
            await host.DisposeAsync();

            var file = Assert.Single(directory.GetFiles());
            Assert.Equal("00001-POST-v1_messages.json", file.Name);
            var entry = JsonNode.Parse(await File.ReadAllTextAsync(file.FullName, Cancelled))!;
            Assert.Equal("hello", (string?)entry["body"]!["messages"]![0]!["content"]);
            Assert.Equal("200", (string?)entry["outcome"]);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task ScriptFile_IsRead_AndAWrongOneNamed()
    {
        var file = Path.GetTempFileName();

        try
        {
            await File.WriteAllTextAsync(file, """{"default":{"text":"You said: {{prompt}}"}}""", Cancelled);
            await using var host = await SimulatorHost.StartAsync(new SimulatorOptions { ScriptFile = file }, Cancelled);
            using var client = new ModelClient(host);
            var (_, message) = await client.SendAsync("hello");
            Assert.Equal("You said: hello", (string?)message["content"]![0]!["text"]);

            await File.WriteAllTextAsync(file, """{"defualt":{}}""", Cancelled);
            var wrong = await Assert.ThrowsAsync<ScriptException>(
                () => SimulatorHost.StartAsync(new SimulatorOptions { ScriptFile = file }, Cancelled));
            Assert.Contains(file, wrong.Message, StringComparison.Ordinal);
            Assert.Contains("defualt", wrong.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task UnixSocket_Serves_AndIsRemoved()
    {
        var directory = Directory.CreateTempSubdirectory("ash-simulator-");

        try
        {
            var path = Path.Combine(directory.FullName, "model.sock");

            await using (var host = await SimulatorHost.StartAsync(new SimulatorOptions(), path, Cancelled))
            {
                using var client = new ModelClient(host);
                Assert.Equal(HttpStatusCode.OK, (await client.SendAsync("hello")).Status);
                await Assert.ThrowsAsync<IOException>(() => SimulatorHost.StartAsync(new SimulatorOptions(), path, Cancelled));
            }

            Assert.False(File.Exists(path));

            await File.WriteAllTextAsync(path, "something else", Cancelled);
            await Assert.ThrowsAsync<IOException>(() => SimulatorHost.StartAsync(new SimulatorOptions(), path, Cancelled));
            Assert.Equal("something else", await File.ReadAllTextAsync(path, Cancelled));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task UnixSocketLeftBehind_IsReplaced()
    {
        var directory = Directory.CreateTempSubdirectory("ash-simulator-");

        try
        {
            var path = Path.Combine(directory.FullName, "model.sock");

            using (var left = new Socket(
                AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            {
                left.Bind(new UnixDomainSocketEndPoint(path));
                File.Move(path, $"{path}.kept"); // closing removes the path it was bound to
            }

            File.Move($"{path}.kept", path);
            await using var host = await SimulatorHost.StartAsync(new SimulatorOptions(), path, Cancelled);
            using var client = new ModelClient(host);
            Assert.Equal(HttpStatusCode.OK, (await client.SendAsync("hello")).Status);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>A client may have its answer before the end of its request is noted.</summary>
    private async Task<RequestOutcome> EndOfAsync(long number) =>
        (await _host.WaitForRequestAsync(request => request.Number == number && request.Outcome is not null, Cancelled)).Outcome!;

    private static async Task<string> NextAsync(IAsyncEnumerator<JsonNode> events)
    {
        Assert.True(await events.MoveNextAsync());
        return (string)events.Current["type"]!;
    }
}
