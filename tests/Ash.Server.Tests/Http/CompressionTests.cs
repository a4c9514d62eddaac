using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Http;
using Ash.Server.Tests.InMemory;
using Ash.Server.Tests.Storage;

namespace Ash.Server.Tests.Http;

/// <summary>Which answers are compressed, for whom, and which never.</summary>
public sealed class CompressionTests
{
    private const int Limit = 60_000;

    [Theory(Timeout = Limit)]
    [InlineData("br", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip, deflate, br, zstd", "br")]
    [InlineData("br;q=0.5, gzip", "gzip")]
    [InlineData("br;q=0, *;q=0.1", "gzip")]
    [InlineData("*", "br")]
    public async Task LongAnswer_IsCompressed_AsItsReaderLikesIt(string accepted, string coding)
    {
        await using var server = await StartAsync();

        var plain = await AskAsync(server, "/api/sessions", null);
        var compressed = await AskAsync(server, "/api/sessions", accepted);

        Assert.Equal([coding], compressed.Content.Headers.ContentEncoding);
        Assert.Equal(["Accept-Encoding"], compressed.Headers.Vary);
        Assert.Equal("application/json; charset=utf-8", $"{compressed.Content.Headers.ContentType}");
        Assert.True((await compressed.Content.ReadAsByteArrayAsync()).Length * 4 < (await plain.Content.ReadAsByteArrayAsync()).Length);
        Assert.Equal(await TextOf(plain), await TextOf(compressed));
    }

    [Theory(Timeout = Limit)]
    [InlineData(null)]
    [InlineData("identity")]
    [InlineData("zstd")]
    [InlineData("br;q=0, gzip;q=0")]
    [InlineData("<script>")]
    public async Task LongAnswer_IsSentAsItIs_ToOthers(string? accepted)
    {
        await using var server = await StartAsync();

        var answer = await AskAsync(server, "/api/sessions", accepted);

        Assert.Empty(answer.Content.Headers.ContentEncoding);
        Assert.Equal(["Accept-Encoding"], answer.Headers.Vary);
        Assert.Equal(20, JsonElement.Parse(await TextOf(answer)).GetProperty("sessions").GetArrayLength());
    }

    [Fact(Timeout = Limit)]
    public async Task ShortAnswer_IsSentAsItIs()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();

        var answer = await AskAsync(server, $"/api/sessions/{session.Id}", "br");

        var body = await answer.Content.ReadAsByteArrayAsync();
        Assert.InRange(body.Length, 1, CompressedBody.MinBytes);
        Assert.Equal((0, (long?)body.Length), (answer.Content.Headers.ContentEncoding.Count, answer.Content.Headers.ContentLength));
        Assert.Equal(["Accept-Encoding"], answer.Headers.Vary);
    }

    [Theory(Timeout = Limit)]
    [InlineData("/api/sessions")]
    [InlineData("/api/agents/echo/files")]
    [InlineData("/metrics")]
    [InlineData("/docs/json")]
    public async Task Head_IsAnsweredAsGet_WithoutABody(string path)
    {
        await using var server = await StartAsync();

        var get = await AskAsync(server, path, "br");
        var head = await AskAsync(server, path, "br", HttpMethod.Head);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        Assert.Equal((HeadersOf(get), true), (HeadersOf(head), HeadersOf(head).Contains("Vary: Accept-Encoding", StringComparison.Ordinal)));
    }

    [Theory(Timeout = Limit)]
    [InlineData("/metrics", "text/plain")]
    [InlineData("/docs/json", "application/json")]
    [InlineData("/docs/yaml", "application/yaml")]
    public async Task TextsForAll_AreCompressedToo(string path, string type)
    {
        await using var server = await InMemoryServer.StartAsync();

        var plain = await AskAsync(server, path, null);
        var compressed = await AskAsync(server, path, "br");

        Assert.Equal(["br"], compressed.Content.Headers.ContentEncoding);
        Assert.Equal(type, compressed.Content.Headers.ContentType?.MediaType);
        Assert.Equal((await TextOf(plain))[..200], (await TextOf(compressed))[..200]);
    }

    [Fact(Timeout = Limit)]
    public async Task PageOfTheDescription_IsCompressed_WithItsScript()
    {
        await using var server = await InMemoryServer.StartAsync();

        var page = await AskAsync(server, "/docs", "gzip");
        var script = await AskAsync(server, "/docs/scalar.js", "gzip");

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal(["gzip"], script.Content.Headers.ContentEncoding);
        Assert.Contains("<html", await TextOf(page), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task Streams_AreNeverCompressed()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Answer = new string('x', 10_000);
        var session = await server.CreateSessionAsync();

        using var message = new HttpRequestMessage(HttpMethod.Post, $"/api/sessions/{session.Id}/messages")
        {
            Content = new StringContent("""{"content":"hi"}""", Encoding.UTF8, "application/json"),
        };
        message.Headers.TryAddWithoutValidation("Accept-Encoding", "br");
        using var turn = await server.Http.SendAsync(message);
        var log = await AskAsync(server, $"/api/sessions/{session.Id}/stream?until=idle", "br");

        Assert.All([turn, log], static stream => Assert.Equal((0, "text/event-stream"), (stream.Content.Headers.ContentEncoding.Count, stream.Content.Headers.ContentType?.MediaType)));
        Assert.Contains("event: done", await TextOf(log), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task FilesAndArchives_AreSentAsTheyAre_InPartToo()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var text = new string('a', 10_000);
        using var body = new StringContent(JsonSerializer.Serialize(new { files = new[] { new { path = "long.txt", content = Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) } } }), Encoding.UTF8, "application/json");
        (await server.Http.PostAsync($"/api/sessions/{session.Id}/files", body)).EnsureSuccessStatusCode();

        var whole = await AskAsync(server, $"/api/sessions/{session.Id}/files/long.txt", "br");
        var part = await AskAsync(server, $"/api/sessions/{session.Id}/files/long.txt", "br", range: new RangeHeaderValue(0, 4999));
        var archive = await AskAsync(server, $"/api/sessions/{session.Id}/workspace", "br");
        var agent = await AskAsync(server, "/api/agents/echo/download", "br");
        await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "long", Files = [new AgentFile("CLAUDE.md", "aGk="), new AgentFile("a.json", Convert.ToBase64String(Encoding.UTF8.GetBytes(text)))] });
        var raw = await AskAsync(server, "/api/agents/long/files/a.json?format=raw", "br");
        var partOfRaw = await AskAsync(server, "/api/agents/long/files/a.json?format=raw", "br", range: new RangeHeaderValue(0, 4999));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.PartialContent), (whole.StatusCode, part.StatusCode));
        Assert.Equal((10_000, 5000), ((await TextOf(whole)).Length, (await TextOf(part)).Length));
        Assert.Equal((10_000, 5000, HttpStatusCode.PartialContent), ((await TextOf(raw)).Length, (await TextOf(partOfRaw)).Length, partOfRaw.StatusCode));
        Assert.All([whole, part, archive, agent, raw, partOfRaw], static answer => Assert.Empty(answer.Content.Headers.ContentEncoding));
        Assert.All([whole, part, archive, agent], static answer => Assert.Empty(answer.Headers.Vary));
    }

    [Fact(Timeout = Limit)]
    public async Task WhatHasATag_IsSentAsItIs()
    {
        await using var server = await InMemoryServer.StartAsync();
        var names = Enumerable.Range(0, 100).ToDictionary(static n => $"A_LONG_NAME_OF_A_VARIABLE_{n}", static _ => "x");
        using var change = new StringContent(JsonSerializer.Serialize(new { env = names }), Encoding.UTF8, "application/json");
        (await server.Http.PatchAsync("/api/agents/echo", change)).EnsureSuccessStatusCode();

        var agent = await AskAsync(server, "/api/agents/echo", "br");

        Assert.NotNull(agent.Headers.ETag);
        Assert.Empty(agent.Content.Headers.ContentEncoding);
        Assert.True((await TextOf(agent)).Length > CompressedBody.MinBytes);
    }

    [Fact(Timeout = Limit)]
    public async Task AnswersToChanges_AreNeverCompressed_SoThatNoSecretIs()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/api-keys")
        {
            Content = new StringContent(JsonSerializer.Serialize(new { label = new string('k', 100) }), Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "br");

        using var answer = await server.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal((0, 0), (answer.Content.Headers.ContentEncoding.Count, answer.Headers.Vary.Count));
    }

    [Fact(Timeout = Limit)]
    public async Task Failure_IsAnsweredInThePlaceOfWhatWasBegun()
    {
        var contexts = new FailingContexts();
        await using var server = await InMemoryServer.StartAsync(replace: contexts.Replace);
        contexts.FailuresLeft = 1;

        var answer = await AskAsync(server, "/api/sessions", "br");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Empty(answer.Content.Headers.ContentEncoding);
        Assert.Equal("store_unavailable", JsonElement.Parse(await TextOf(answer)).GetProperty("code").GetString());
    }

    private static async Task<InMemoryServer> StartAsync()
    {
        var server = await InMemoryServer.StartAsync();
        for (var i = 0; i < 20; i++)
        {
            await server.CreateSessionAsync();
        }

        return server;
    }

    private static async Task<HttpResponseMessage> AskAsync(InMemoryServer server, string path, string? accepted, HttpMethod? method = null, RangeHeaderValue? range = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        request.Headers.Range = range;
        if (accepted is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        }

        return await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static string HeadersOf(HttpResponseMessage answer) =>
        $"Vary: {string.Join(',', answer.Headers.Vary)}\nContent-Encoding: {string.Join(',', answer.Content.Headers.ContentEncoding)}\nContent-Type: {answer.Content.Headers.ContentType}";

    private static async Task<string> TextOf(HttpResponseMessage answer)
    {
        await using var body = await answer.Content.ReadAsStreamAsync();
        await using Stream plain = answer.Content.Headers.ContentEncoding.SingleOrDefault() switch
        {
            "br" => new BrotliStream(body, CompressionMode.Decompress, leaveOpen: true),
            "gzip" => new GZipStream(body, CompressionMode.Decompress, leaveOpen: true),
            _ => body,
        };
        using var reader = new StreamReader(plain);
        return await reader.ReadToEndAsync();
    }
}
