using System.Net;

namespace Ash.Server.Tests.Broker;

public sealed class BrokerHandlerTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Call_IsRefusedFinally_WithoutAToken()
    {
        await using var server = await BrokerServer.StartAsync();

        var answer = await server.Inside().SendAsync(BrokerServer.Call(token: null), Cancelled);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("false", answer.Headers.GetValues("x-should-retry").Single());
        Assert.Empty(server.Upstream.Requests);
    }

    [Fact]
    public async Task Call_IsAllowed_WithTheTokenAsBearer()
    {
        await using var server = await BrokerServer.StartAsync();
        var call = BrokerServer.Call(token: null);
        call.Headers.Authorization = new("Bearer", BrokerServer.Token);

        var answer = await server.Inside().SendAsync(call, Cancelled);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.DoesNotContain("Authorization", Assert.Single(server.Upstream.Requests).Headers.Keys);
    }

    [Fact]
    public async Task Call_IsRefusedFinally_WithTheTokenOfAnotherSandbox()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Authority.Know("sandbox-b", "token-b");
        using var other = server.Open("sandbox-b");

        var mine = await server.Inside().SendAsync(BrokerServer.Call(token: "token-b"), Cancelled);
        var theirs = await server.Inside(other).SendAsync(BrokerServer.Call(token: BrokerServer.Token), Cancelled);
        var own = await server.Inside(other).SendAsync(BrokerServer.Call(token: "token-b"), Cancelled);

        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (mine.StatusCode, theirs.StatusCode));
        Assert.Equal("false", mine.Headers.GetValues("x-should-retry").Single());
        Assert.Equal(
            """{"type":"error","error":{"type":"permission_error","message":"token_mismatch: The token is not this sandbox\u0027s."}}""",
            await mine.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.Single(server.Upstream.Requests);
    }

    [Theory]
    [InlineData("GET", "/v1/messages")]
    [InlineData("PUT", "/v1/messages")]
    [InlineData("POST", "/v1/messages/")]
    [InlineData("POST", "/V1/messages")]
    [InlineData("POST", "/v1/messages/batches")]
    [InlineData("POST", "/v1/messages%2Fcount_tokens")]
    [InlineData("POST", "/v1/messages/../complete")]
    [InlineData("GET", "/v1/models")]
    [InlineData("POST", "/v1/files")]
    [InlineData("GET", "/v1/organizations/me")]
    [InlineData("POST", "/")]
    [InlineData("GET", "/api/secret")]
    [InlineData("GET", "//api/secret")]
    [InlineData("OPTIONS", "/v1/messages")]
    public async Task AnyOtherRequest_IsRefused_AndNotForwarded(string method, string path)
    {
        await using var server = await BrokerServer.StartAsync();

        var answer = await server.ExchangeAsync(
            $"{method} {path} HTTP/1.1\r\nHost: a\r\nx-api-key: {BrokerServer.Token}\r\nContent-Length: 2\r\n\r\n{{}}", Cancelled);

        Assert.StartsWith("HTTP/1.1 404 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"not_found_error\"", answer, StringComparison.Ordinal);
        Assert.Contains("x-should-retry: false", answer, StringComparison.Ordinal);
        Assert.Empty(server.Upstream.Requests);
    }

    [Theory]
    [InlineData("HEAD")]
    [InlineData("GET")]
    public async Task Probe_IsAnswered_WithoutTheModel(string method)
    {
        await using var server = await BrokerServer.StartAsync();

        var answer = await server.Inside().SendAsync(new HttpRequestMessage(new HttpMethod(method), "/"), Cancelled);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Cancelled));
        Assert.Empty(server.Upstream.Requests);
    }

    [Theory]
    [InlineData("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n")]
    [InlineData("CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n\r\n")]
    [InlineData("CONNECT [::ffff:169.254.169.254]:80 HTTP/1.1\r\nHost: [::ffff:169.254.169.254]:80\r\n\r\n")]
    [InlineData("GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n")]
    [InlineData("GET http://metadata.google.internal/computeMetadata/v1/ HTTP/1.1\r\nHost: metadata.google.internal\r\n\r\n")]
    [InlineData("POST http://api.anthropic.com/v1/messages HTTP/1.1\r\nHost: api.anthropic.com\r\nx-api-key: token-a\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")]
    public async Task RequestForTheNetwork_IsRefusedInWords(string request)
    {
        await using var server = await BrokerServer.StartAsync();

        var answer = await server.ExchangeAsync(request, Cancelled);

        Assert.StartsWith("HTTP/1.1 403 Network access is denied by Ash\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: text/plain\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\n\r\nNetwork access is denied: ", answer, StringComparison.Ordinal);
        Assert.Empty(server.Upstream.Requests);
    }

    [Theory]
    [InlineData("POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("GET http://exa mple.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n")]
    [InlineData("GET http://user@example.com\\@other/ HTTP/1.1\r\nHost: example.com\r\n\r\n")]
    [InlineData("CONNECT example.com HTTP/1.1\r\nHost: other\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001")]
    public async Task OddRequest_NeverReachesTheModel(string request)
    {
        await using var server = await BrokerServer.StartAsync();

        using var socket = await BrokerServer.ConnectAsync(server.Socket.Path, Cancelled);
        await using var stream = new System.Net.Sockets.NetworkStream(socket);
        await stream.WriteAsync(System.Text.Encoding.Latin1.GetBytes(request), Cancelled);
        socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        using var reader = new StreamReader(stream);
        var answer = await ReadToCloseAsync(reader);

        Assert.DoesNotContain(" 200 ", answer, StringComparison.Ordinal);
        Assert.Empty(server.Upstream.Requests);
    }

    [Fact]
    public async Task Sandbox_HasToWait_WhenItAsksTooOften_AndGoesOn()
    {
        await using var server = await BrokerServer.StartAsync(options => (options.RequestBurst, options.RequestsPerMinute) = (2, 30));
        using var other = server.Open("sandbox-b");
        server.Authority.Know("sandbox-b", "token-b");
        var client = server.Inside();
        await client.SendAsync(BrokerServer.Call(), Cancelled);
        await client.SendAsync(BrokerServer.Call(), Cancelled);

        var throttled = await client.SendAsync(BrokerServer.Call(), Cancelled);

        Assert.Equal(HttpStatusCode.TooManyRequests, throttled.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(2), throttled.Headers.RetryAfter!.Delta);
        Assert.False(throttled.Headers.Contains("x-should-retry"));
        Assert.Equal(HttpStatusCode.OK, (await server.Inside(other).SendAsync(BrokerServer.Call(token: "token-b"), Cancelled)).StatusCode);

        server.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(BrokerServer.Call(), Cancelled)).StatusCode);
    }

    [Fact]
    public async Task PublicApi_IsUnreachable_ThroughTheBrokersSocket()
    {
        await using var server = await BrokerServer.StartAsync();

        var answer = await server.Inside().GetAsync("/api/secret", Cancelled);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.DoesNotContain("public", await answer.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Empty(server.PublicRequests);
    }

    [Fact]
    public async Task Broker_IsUnreachable_ThroughThePublicPort()
    {
        await using var server = await BrokerServer.StartAsync();
        using var client = new HttpClient { BaseAddress = server.PublicAddress };

        var answer = await client.SendAsync(BrokerServer.Call(), Cancelled);

        Assert.Equal("public messages", await answer.Content.ReadAsStringAsync(Cancelled));
        Assert.Empty(server.Upstream.Requests);
    }

    private static async Task<string> ReadToCloseAsync(StreamReader reader)
    {
        try
        {
            return await reader.ReadToEndAsync(Cancelled);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
