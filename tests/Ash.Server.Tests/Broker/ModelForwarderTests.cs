using System.Net;
using System.Text;
using Ash.Server.Broker;
using Ash.Server.Credentials;
using Microsoft.AspNetCore.Http;

namespace Ash.Server.Tests.Broker;

public sealed class ModelForwarderTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SessionsOwnKey_TakesTheServersPlace_AndIsLoggedNowhere()
    {
        await using var server = await BrokerServer.StartAsync(model: upstream => upstream.ApiKey = null);
        server.Authority.ModelKey = new Secret("sk-ant-of-the-session");
        server.Upstream.Script(Answers.Streamed);

        var answer = await server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        Assert.Equal("sk-ant-of-the-session", Assert.Single(server.Upstream.Requests).Headers["x-api-key"]);
        Assert.DoesNotContain("of-the-session", await answer.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.DoesNotContain(server.Log.Lines, line => line.Contains("of-the-session", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Key_IsSeenByTheModel_AndNowhereElse()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(Answers.Streamed);

        var answer = await server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        var request = Assert.Single(server.Upstream.Requests);
        Assert.Equal(BrokerServer.Key, request.Headers["x-api-key"]);
        Assert.Equal(Answers.Stream, await answer.Content.ReadAsStringAsync(Cancelled));
        Assert.DoesNotContain(BrokerServer.Key, answer.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(server.Log.Lines, line => line.Contains(BrokerServer.Key, StringComparison.Ordinal));
        Assert.DoesNotContain(server.Log.Lines, line => line.Contains(BrokerServer.Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task OnlyHarmlessHeaders_ReachTheModel()
    {
        await using var server = await BrokerServer.StartAsync();
        var call = BrokerServer.Call("""{"model":"m"}""");
        call.Headers.Add("anthropic-version", "2023-06-01");
        call.Headers.Add("anthropic-beta", ["a", "b"]);
        call.Headers.Add("x-claude-code-session-id", "s");
        call.Headers.UserAgent.ParseAdd("claude-cli/1");

        foreach (var name in new[]
        {
            "Authorization", "Cookie", "Accept-Encoding", "Proxy-Authorization", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host",
            "X-Goog-Api-Key", "Api-Key", "Keep-Alive", "TE", "Upgrade", "Via", "traceparent",
        })
        {
            Assert.True(call.Headers.TryAddWithoutValidation(name, "gzip"));
        }

        await server.Inside().SendAsync(call, Cancelled);

        var request = Assert.Single(server.Upstream.Requests);
        Assert.Equal(
            ["anthropic-beta", "anthropic-version", "Content-Length", "Content-Type", "Host", "User-Agent", "x-api-key",
                "x-claude-code-session-id"],
            request.Headers.Keys.Order(StringComparer.OrdinalIgnoreCase));
        Assert.DoesNotContain("broker.invalid", request.Headers["Host"], StringComparison.Ordinal);
        Assert.Equal("/v1/messages?beta=true", request.Target);
        Assert.Equal("""{"model":"m"}""", Encoding.UTF8.GetString(request.Body));
    }

    [Fact]
    public async Task Sandbox_LearnsNothingOfTheOperator_FromTheAnswersHeaders()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(Answers.Streamed);

        var answer = await server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        var names = answer.Headers.Concat(answer.Content.Headers).Select(header => header.Key).Order(StringComparer.Ordinal);
        Assert.Equal(["Content-Type", "Date", "Request-Id", "Transfer-Encoding"], names, StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Call_IsMetered()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(Answers.Streamed, Answers.Json);
        var client = server.Inside();

        await client.SendAsync(BrokerServer.Call(), Cancelled);
        var streamed = await server.Authority.NextCallAsync(Cancelled);
        await client.SendAsync(BrokerServer.Call(), Cancelled);
        var plain = await server.Authority.NextCallAsync(Cancelled);

        Assert.Equal(
            new ModelCall(
                BrokerServer.Sandbox, "turn-of-sandbox-a", ModelOperation.Messages, "claude-test-1", 25, 15, 7, 11, 200, null, 1, true,
                TimeSpan.Zero, TimeSpan.Zero),
            streamed with { RequestBytes = 0, ResponseBytes = 0 });
        Assert.Equal(
            new ModelCall(
                BrokerServer.Sandbox, "turn-of-sandbox-a", ModelOperation.Messages, "claude-test-2", 3, 5, 0, 2, 200, null, 1, true,
                TimeSpan.Zero, TimeSpan.Zero),
            plain with { RequestBytes = 0, ResponseBytes = 0 });
        Assert.All([streamed, plain], static call => Assert.True(call is { RequestBytes: > 0, ResponseBytes: > 0 }));
    }

    [Fact]
    public async Task CountOfTokens_IsForwarded_AndCostsNothing()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(context => context.Response.WriteAsync("""{"input_tokens":12}"""));

        var answer = await server.Inside().SendAsync(BrokerServer.Call(path: "/v1/messages/count_tokens?beta=true"), Cancelled);

        Assert.Equal("""{"input_tokens":12}""", await answer.Content.ReadAsStringAsync(Cancelled));
        var call = await server.Authority.NextCallAsync(Cancelled);
        Assert.Equal((ModelOperation.CountTokens, 0, 0), (call.Operation, call.InputTokens, call.OutputTokens));
        Assert.Equal("/v1/messages/count_tokens?beta=true", Assert.Single(server.Upstream.Requests).Target);
    }

    [Fact]
    public async Task Event_ArrivesBeforeTheModelSendsTheNext()
    {
        await using var server = await BrokerServer.StartAsync();
        var goOn = new TaskCompletionSource();
        server.Upstream.Script(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: 1\n\n");
            await context.Response.Body.FlushAsync();
            await goOn.Task;
            await context.Response.WriteAsync("data: 2\n\n");
        });

        var answer = await server.Inside().SendAsync(BrokerServer.Call(), HttpCompletionOption.ResponseHeadersRead, Cancelled);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancelled));

        Assert.Equal("data: 1", await reader.ReadLineAsync(Cancelled));
        goOn.SetResult();
        Assert.Equal("\ndata: 2\n\n", await reader.ReadToEndAsync(Cancelled));
    }

    [Fact]
    public async Task StalledSandbox_StopsTheModel_AndLosesNothing()
    {
        const int Total = 64 * 1024 * 1024;
        await using var server = await BrokerServer.StartAsync();
        var stalledAt = new TaskCompletionSource<int>();
        server.Upstream.Script(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            var block = new byte[64 * 1024];

            for (var sent = 0; sent < Total; sent += block.Length)
            {
                var write = context.Response.Body.WriteAsync(block, context.RequestAborted).AsTask();

                try
                {
                    await write.WaitAsync(TimeSpan.FromSeconds(1));
                }
                catch (TimeoutException)
                {
                    stalledAt.TrySetResult(sent);
                    await write;
                }
            }
        });

        var answer = await server.Inside().SendAsync(BrokerServer.Call(), HttpCompletionOption.ResponseHeadersRead, Cancelled);

        Assert.InRange(await stalledAt.Task.WaitAsync(Cancelled), 0, Total / 4);
        Assert.Equal(Total, (await answer.Content.ReadAsByteArrayAsync(Cancelled)).Length);
    }

    [Fact]
    public async Task Model_IsToldToStop_WhenTheSandboxHasGone()
    {
        await using var server = await BrokerServer.StartAsync();
        var stopped = new TaskCompletionSource();
        server.Upstream.Script(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync(Answers.Stream[..400]);
            await context.Response.Body.FlushAsync();
            context.RequestAborted.Register(stopped.SetResult);
            await stopped.Task;
        });
        var answer = await server.Inside().SendAsync(BrokerServer.Call(), HttpCompletionOption.ResponseHeadersRead, Cancelled);
        await (await answer.Content.ReadAsStreamAsync(Cancelled)).ReadExactlyAsync(new byte[400], Cancelled);

        answer.Dispose();

        await stopped.Task.WaitAsync(Cancelled);
        var call = await server.Authority.NextCallAsync(Cancelled);
        Assert.Equal((200, false, 25), (call.Status, call.IsComplete, call.InputTokens));
    }

    [Fact]
    public async Task Sandbox_SeesABrokenStream_WhenTheModelBreaksOff()
    {
        await using var server = await BrokerServer.StartAsync();
        var breakOff = new TaskCompletionSource();
        server.Upstream.Script(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync(Answers.Stream[..400]);
            await context.Response.Body.FlushAsync();
            await breakOff.Task;
            context.Abort();
        });

        var answer = await server.Inside().SendAsync(BrokerServer.Call(), HttpCompletionOption.ResponseHeadersRead, Cancelled);
        breakOff.SetResult();

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => answer.Content.ReadAsStringAsync(Cancelled));
        Assert.False((await server.Authority.NextCallAsync(Cancelled)).IsComplete);
        Assert.Single(server.Upstream.Requests);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(529)]
    public async Task PassingError_IsNotSeenByTheSandbox_WhenARepetitionSucceeds(int status)
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(Answers.Error(status), Answers.Error(status), Answers.Streamed);
        var sending = server.Inside().SendAsync(BrokerServer.Call("""{"a":1}"""), Cancelled);

        var first = await server.Clock.NextWaitAsync(Cancelled);
        server.Clock.Advance(first);
        var second = await server.Clock.NextWaitAsync(Cancelled);
        server.Clock.Advance(second);

        var answer = await sending;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(Answers.Stream, await answer.Content.ReadAsStringAsync(Cancelled));
        Assert.InRange(first.TotalMilliseconds, 375, 625);
        Assert.InRange(second.TotalMilliseconds, 750, 1250);
        Assert.Equal(["{\"a\":1}", "{\"a\":1}", "{\"a\":1}"], server.Upstream.Requests.Select(r => Encoding.UTF8.GetString(r.Body)));
        Assert.Equal(3, (await server.Authority.NextCallAsync(Cancelled)).Attempts);
        Assert.Equal(0, server.Buffers.Reserved);
    }

    [Fact]
    public async Task LostConnection_IsRepeated_WhenNothingWasAnswered()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(Answers.Nothing, Answers.Streamed);
        var sending = server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        server.Clock.Advance(await server.Clock.NextWaitAsync(Cancelled));

        Assert.Equal(HttpStatusCode.OK, (await sending).StatusCode);
    }

    [Fact]
    public async Task AnswerThatBreaksBeforeItsFirstByte_IsAskedForAgain()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(
            async context =>
            {
                context.Response.ContentType = "text/event-stream";
                await context.Response.StartAsync();
                await context.Response.Body.FlushAsync();
                context.Abort();
            },
            Answers.Streamed);
        var sending = server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        server.Clock.Advance(await server.Clock.NextWaitAsync(Cancelled));

        Assert.Equal(Answers.Stream, await (await sending).Content.ReadAsStringAsync(Cancelled));
    }

    [Fact]
    public async Task Repetition_IsGivenUp_WhenTheSandboxHasGone()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Answer = Answers.Error(529);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var sending = server.Inside().SendAsync(BrokerServer.Call(), leaving.Token);
        await server.Clock.NextWaitAsync(Cancelled);

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        var call = await server.Authority.NextCallAsync(Cancelled);
        Assert.Equal((499, 1, false), (call.Status, call.Attempts, call.IsComplete));
        Assert.Equal(0, server.Buffers.Reserved);
    }

    [Fact]
    public async Task RetryAfter_IsObeyed()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(Answers.Error(429, retryAfter: "37"), Answers.Streamed);
        var sending = server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        var wait = await server.Clock.NextWaitAsync(Cancelled);
        server.Clock.Advance(wait);

        Assert.Equal(TimeSpan.FromSeconds(37), wait);
        Assert.Equal(HttpStatusCode.OK, (await sending).StatusCode);
    }

    [Fact]
    public async Task Error_IsFinal_WhenTheModelAsksForALongerWaitThanTheBrokerHas()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(Answers.Error(429, retryAfter: "3600"));

        var answer = await server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal("3600", answer.Headers.GetValues("retry-after").Single());
        Assert.Equal("false", ShouldRetry(answer));
    }

    [Fact]
    public async Task PassingError_IsFinal_WhenAllRepetitionsFailed()
    {
        await using var server = await BrokerServer.StartAsync(options => options.MaxRetries = 2);
        server.Upstream.Answer = Answers.Error(529);
        var sending = server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        server.Clock.Advance(await server.Clock.NextWaitAsync(Cancelled));
        server.Clock.Advance(await server.Clock.NextWaitAsync(Cancelled));

        var answer = await sending;
        Assert.Equal(529, (int)answer.StatusCode);
        Assert.Equal("false", ShouldRetry(answer));
        Assert.Contains("upstream 529", await answer.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Equal(3, server.Upstream.Requests.Count);
    }

    [Fact]
    public async Task UnreachableModel_IsAFinalError_WhenAllRepetitionsFailed()
    {
        await using var server = await BrokerServer.StartAsync(
            options => options.MaxRetries = 1,
            model => (model.BaseUrl, model.SocketPath) = ("http://model.invalid", "/nonexistent/model.sock"));
        var sending = server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        server.Clock.Advance(await server.Clock.NextWaitAsync(Cancelled));

        var answer = await sending;
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal("false", ShouldRetry(answer));
        Assert.Contains("model_unreachable: ", await answer.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        var call = await server.Authority.NextCallAsync(Cancelled);
        Assert.Equal((502, "model_unreachable", 2), (call.Status, call.ErrorCode, call.Attempts));
        Assert.DoesNotContain(server.Log.Lines, line => line.Contains(BrokerServer.Key, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(413)]
    public async Task LastingError_IsFinalAtOnce(int status)
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(Answers.Error(status));

        var answer = await server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("false", ShouldRetry(answer));
        Assert.Single(server.Upstream.Requests);
    }

    [Fact]
    public async Task PassingError_IsFinalAtOnce_WhenTheModelSaysSo()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(Answers.Error(500, shouldRetry: "false"));

        var answer = await server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        Assert.Equal(500, (int)answer.StatusCode);
        Assert.Equal("false", ShouldRetry(answer));
    }

    [Fact]
    public async Task PassingError_IsLeftToTheCli_WhenTheRequestWasTooLargeToKeep()
    {
        await using var server = await BrokerServer.StartAsync(options => options.MaxReplayBytes = 10);
        server.Upstream.Script(Answers.Error(529));

        var answer = await server.Inside().SendAsync(BrokerServer.Call(new string(' ', 11)), Cancelled);

        Assert.Equal(529, (int)answer.StatusCode);
        Assert.Null(ShouldRetry(answer));
        Assert.Equal(11, Assert.Single(server.Upstream.Requests).Body.Length);
    }

    [Fact]
    public async Task PassingError_IsLeftToTheCli_WhenAllKeptRequestsTogetherAreTooLarge()
    {
        await using var server = await BrokerServer.StartAsync(options => options.MaxReplayBytesInAll = 10);
        server.Upstream.Script(Answers.Error(529));

        var answer = await server.Inside().SendAsync(BrokerServer.Call(new string(' ', 11)), Cancelled);

        Assert.Null(ShouldRetry(answer));
        Assert.Equal(0, server.Buffers.Reserved);
    }

    [Fact]
    public async Task LargeRequest_ArrivesWhole()
    {
        await using var server = await BrokerServer.StartAsync();
        var body = new string('x', 5 * 1024 * 1024);

        await server.Inside().SendAsync(BrokerServer.Call(body), Cancelled);

        Assert.Equal(body, Encoding.UTF8.GetString(Assert.Single(server.Upstream.Requests).Body));
    }

    [Fact]
    public async Task TooLargeRequest_IsRefusedFinally_AndNotForwarded()
    {
        await using var server = await BrokerServer.StartAsync();

        var answer = await server.Inside().SendAsync(BrokerServer.Call(new string('x', (64 * 1024 * 1024) + 1)), Cancelled);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("false", ShouldRetry(answer));
        Assert.Contains("request_too_large", await answer.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Empty(server.Upstream.Requests);
    }

    [Fact]
    public async Task TooLargeRequest_IsRefusedFinally_WhenItDoesNotSayItsLength()
    {
        await using var server = await BrokerServer.StartAsync(options => options.MaxRequestBytes = 100_000);
        var call = BrokerServer.Call(new string('x', 200_000));
        call.Headers.TransferEncodingChunked = true;

        var answer = await server.Inside().SendAsync(call, Cancelled);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("false", ShouldRetry(answer));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RequestThatReachesIntoTheNetwork_IsRefused_AndTheModelNeverHasItWhole(bool isLarge)
    {
        await using var server = await BrokerServer.StartAsync(options => options.MaxReplayBytes = isLarge ? 0 : 1024 * 1024);
        var padding = new string('x', isLarge ? 500_000 : 10);
        var call = BrokerServer.Call($$$"""{"model":"{{{padding}}}","tools":[{"type":"web_search_20250305","name":"web_search"}]}""");

        var answer = await server.Inside().SendAsync(call, Cancelled);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal("false", ShouldRetry(answer));
        Assert.Contains("network_denied: web_search", await answer.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.DoesNotContain(server.Upstream.Requests, request => Encoding.UTF8.GetString(request.Body).Contains("web_search", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CompressedRequest_IsRefused()
    {
        await using var server = await BrokerServer.StartAsync();
        var call = BrokerServer.Call();
        call.Content!.Headers.ContentEncoding.Add("gzip");

        var answer = await server.Inside().SendAsync(call, Cancelled);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Empty(server.Upstream.Requests);
    }

    [Fact]
    public async Task MissingKey_IsAFinalErrorWithItsCode_WhenTheModelIsTheRealApi()
    {
        await using var server = await BrokerServer.StartAsync(
            model: model => (model.BaseUrl, model.ApiKey) = (ModelUpstream.AnthropicApi, null));

        var answer = await server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("false", ShouldRetry(answer));
        Assert.StartsWith(
            """{"type":"error","error":{"type":"authentication_error","message":"model_not_configured: """,
            await answer.Content.ReadAsStringAsync(Cancelled),
            StringComparison.Ordinal);
        var call = await server.Authority.NextCallAsync(Cancelled);
        Assert.Equal((401, "model_not_configured", 0), (call.Status, call.ErrorCode, call.Attempts));
    }

    [Fact]
    public async Task Model_IsReachedOverAUnixSocket_WithoutTheKey()
    {
        await using var model = await BrokerServer.StartAsync();
        await using var server = await BrokerServer.StartAsync(
            model: upstream => (upstream.BaseUrl, upstream.SocketPath) = ("http://model", model.Socket.Path));

        // What listens there is another broker: it misses a token, so it was reached and sent none.
        var answer = await server.Inside().SendAsync(BrokerServer.Call(), Cancelled);

        Assert.Contains("token_missing", await answer.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
    }

    private static string? ShouldRetry(HttpResponseMessage answer)
    {
        return answer.Headers.TryGetValues("x-should-retry", out var values) ? values.Single() : null;
    }
}
