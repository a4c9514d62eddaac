using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Agents;
using Ash.Server.Storage;
using Ash.Server.Tests.InMemory;
using Ash.Server.Tests.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Agents;

/// <summary>Contract 3.1: an agent's environment, configuration and files, and what a change of them makes of it.</summary>
public class AgentApiTests : IAsyncLifetime
{
    private const int Limit = 60_000;
    private InMemoryServer _server = null!; // Set before each test.

    public async ValueTask InitializeAsync() => _server = await InMemoryServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact(Timeout = Limit)]
    public async Task Patch_ReplacesTheEnvironment_AndMergesTheConfiguration()
    {
        var patched = await AskAsync("PATCH", "", """{"name":"echo","env":{"A":"1","B":"2"},"config":{"x":1,"y":{"z":1}}}""");
        await AskAsync("PATCH", "", """{"env":{"C":"3"},"config":{"y":2}}""");

        Assert.Equal("""{"A":"***","B":"***"}""", patched.GetProperty("agent").GetProperty("env").GetRawText());
        Assert.Equal("""{"C":"***"}""", (await AskAsync("GET", "")).GetProperty("agent").GetProperty("env").GetRawText());
        Assert.Equal("""{"config":{"x":1,"y":2}}""", (await AskAsync("GET", "/config")).GetRawText());
        Assert.Equal("""{"config":{"x":null,"y":2,"n":"a"}}""", (await AskAsync("PATCH", "/config", """{"n":"a","x":null}""")).GetRawText());
        Assert.False((await AskAsync("PATCH", "", """{"env":{}}""")).GetProperty("agent").TryGetProperty("env", out _));
        Assert.Equal(1, (await _server.Client.Agents.GetAsync("echo")).Version);
    }

    [Theory(Timeout = Limit)]
    [InlineData("", """{"env":{"1A":"x"}}""")]
    [InlineData("", """{"config":[1]}""")]
    [InlineData("", """{"nmae":"x"}""")]
    [InlineData("", """{"name":"no name"}""")]
    [InlineData("/config", "[1]")]
    [InlineData("/config", """{"model":""}""")]
    [InlineData("/config", """{"permission_mode":"plan"}""")]
    [InlineData("/config", """{"max_turns":0}""")]
    [InlineData("/config", """{"maxTurns":"3"}""")]
    [InlineData("/config", """{"mcp_servers":{"s":{}}}""")]
    [InlineData("", """{"config":{"systemPrompt":7}}""")]
    public async Task Patch_ThatCannotBeMet_IsRefused_AndChangesNothing(string route, string body)
    {
        var before = await AskAsync("GET", "");

        await AskAsync("PATCH", route, body, HttpStatusCode.BadRequest);

        Assert.Equal(before.GetRawText(), (await AskAsync("GET", "")).GetRawText());
    }

    [Fact(Timeout = Limit)]
    public async Task DeployWithoutAPrompt_KeepsTheAgentsOwn_AndThatOfANewAgentIsItsName()
    {
        async Task<(int Version, string Prompt, IReadOnlyList<string> Files)> DeployAsync(string fields)
        {
            using var answer = await _server.Http.PostAsync("/api/agents", new StringContent($$"""{"name":"bare"{{fields}}}""", Encoding.UTF8, "application/json"));
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
            var files = JsonElement.Parse(await _server.Http.GetStringAsync("/api/agents/bare/files")).GetProperty("files");
            return (
                (await _server.Client.Agents.GetAsync("bare")).Version,
                await _server.Http.GetStringAsync("/api/agents/bare/files/CLAUDE.md?format=raw"),
                [.. files.EnumerateArray().Select(file => file.GetProperty("path").GetString()!)]);
        }

        Assert.Equivalent((1, "# bare\n", new[] { "CLAUDE.md" }), await DeployAsync(""));
        Assert.Equivalent((2, "P", new[] { "CLAUDE.md" }), await DeployAsync(""","systemPrompt":"P" """));
        Assert.Equivalent((3, "P", new[] { "CLAUDE.md", "x.txt" }), await DeployAsync(""","files":[{"path":"x.txt","content":""}]"""));
        Assert.Equivalent((4, "P", new[] { "CLAUDE.md", "x.txt" }), await DeployAsync(""","env":{"A":"1"}"""));
    }

    [Fact(Timeout = Limit)]
    public async Task SessionThatIsCreated_WhileItsAgentIsDeleted_StandsOrIsRefused_AndNothingOfItStays()
    {
        for (var round = 0; round < 15; round++)
        {
            await _server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "fleeting", SystemPrompt = $"{round}" });
            var creating = Enumerable.Range(0, 3).Select(_ => _server.Http.PostAsync(
                "/api/sessions", new StringContent("""{"agent":"fleeting"}""", Encoding.UTF8, "application/json"))).ToList();
            using var deleted = await _server.Http.DeleteAsync("/api/agents/fleeting");
            foreach (var answer in await Task.WhenAll(creating))
            {
                var text = await answer.Content.ReadAsStringAsync();
                Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.NotFound or HttpStatusCode.Gone or HttpStatusCode.UnprocessableEntity, text);
            }

            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
            Assert.Empty(await _server.Client.Sessions.ListAsync());
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Configuration_IsTheDefaultOfItsSessions_AndTheirCreatorsWordGoesFirst()
    {
        await AskAsync("PATCH", "/config", """
            {"model":"m","systemPrompt":"p","permission_mode":"default","max_turns":3,"mcp_servers":{"a":{"command":"x"},"b":{"command":"y"}},"note":1}
            """);
        var plain = await _server.CreateSessionAsync();
        var own = await _server.Client.Sessions.CreateAsync(new CreateSessionRequest
        {
            Agent = "echo", Model = "mine", SystemPrompt = "own", PermissionMode = "permissionsByAgent",
            McpServers = JsonElement.Parse("""{"b":{"command":"z"}}"""),
        });

        await using var db = await _server.ReadStoreAsync();
        var stored = await db.Sessions.SingleAsync(session => session.Id == plain.Id, TestContext.Current.CancellationToken);
        Assert.Equal(("m", "p", "default"), (stored.Model, stored.SystemPrompt, stored.PermissionMode));
        Assert.Equal("""{"mcpServers":{"a":{"command":"x"},"b":{"command":"y"}},"maxTurns":3}""", stored.Config);
        stored = await db.Sessions.SingleAsync(session => session.Id == own.Id, TestContext.Current.CancellationToken);
        Assert.Equal(("mine", "own", "permissionsByAgent"), (stored.Model, stored.SystemPrompt, stored.PermissionMode));
        Assert.Equal("""{"mcpServers":{"a":{"command":"x"},"b":{"command":"z"}},"maxTurns":3}""", stored.Config);

        await AskAsync("PATCH", "/config", """{"model":null,"mcp_servers":null}""");
        var later = await _server.CreateSessionAsync();
        Assert.Null(later.Model);
        Assert.Null(later.Config!.McpServers);
    }

    [Fact(Timeout = Limit)]
    public async Task ConfigurationThatNobodyCouldRead_IsRefused()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 40)) + string.Concat(Enumerable.Repeat("]", 40));
        var large = $$"""{"a":"{{new string('x', 200_000)}}"}""";

        Assert.Equal(
            "config must be nested at most 32 deep",
            (await AskAsync("PATCH", "/config", $$"""{"x":{{deep}}}""", HttpStatusCode.BadRequest)).GetProperty("error").GetString());
        await AskAsync("PATCH", "", $$$"""{"config":{"x":{{{deep}}}}}""", HttpStatusCode.BadRequest);
        await AskAsync("PATCH", "/config", large);
        await AskAsync("PATCH", "/config", large.Replace("\"a\"", "\"b\"", StringComparison.Ordinal), HttpStatusCode.BadRequest);
        Assert.Equal(["a"], (await AskAsync("GET", "/config")).GetProperty("config").EnumerateObject().Select(entry => entry.Name));
    }

    [Fact(Timeout = Limit)]
    public async Task ConfigurationOfAnEarlierRelease_IsReadAndReplaced_WhateverItHolds()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 200)) + string.Concat(Enumerable.Repeat("]", 200));
        await _server.Get<StoreWriter>().WriteAsync(Durability.Process, transaction =>
        {
            var agent = transaction.Db.Agents.Single();
            _server.Get<SealedAgents>().SetConfig(agent, $$"""{"x":{{deep}},"mcpServers":{"a":1},"maxTurns":"many"}""");
            transaction.Db.SaveChanges();
        });

        var shown = Assert.Single(await _server.Client.Agents.ListAsync()).Config!.Value;
        Assert.Equal((deep, """{"a":"***"}"""), (shown.GetProperty("x").GetRawText(), shown.GetProperty("mcpServers").GetRawText()));
        await _server.CreateSessionAsync();
        await AskAsync("PATCH", "/config", """{"x":1}""");
        Assert.Equal(1, (await AskAsync("GET", "/config")).GetProperty("config").GetProperty("x").GetInt32());
    }

    [Fact(Timeout = Limit)]
    public async Task Agent_GetsAnotherName_AndItsSessionsStayItsOwn()
    {
        var (awake, ended) = (await _server.CreateSessionAsync(), await _server.CreateSessionAsync());
        await _server.Client.Sessions.EndAsync(ended.Id);
        await _server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "taken", SystemPrompt = "x" });
        var before = await _server.Client.Agents.GetAsync("echo");

        await AskAsync("PATCH", "", """{"name":"taken","systemPrompt":"never"}""", HttpStatusCode.Conflict);
        await AskAsync("PATCH", "", """{"name":"not a name"}""", HttpStatusCode.BadRequest);
        Assert.Equal("Echo.", await _server.Http.GetStringAsync("/api/agents/echo/files/CLAUDE.md?format=raw"));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusAsync("PATCH", "", "If-Match", "\"other\"", """{"name":"taken"}"""));
        var renamed = (await AskAsync("PATCH", "", """{"name":"parrot"}""")).GetProperty("agent");
        await AskAsync("GET", "", expected: HttpStatusCode.NotFound);

        Assert.Equal((before.Id, before.Version), (renamed.GetProperty("id").GetGuid(), renamed.GetProperty("version").GetInt32()));
        Assert.Equal([ended.Id, awake.Id], (await _server.Client.Sessions.ListAsync("parrot")).Select(session => session.Id));
        Assert.Empty(await _server.Client.Sessions.ListAsync("echo"));
        Assert.Equal(("parrot", "parrot"), (
            (await _server.Client.Sessions.GetAsync(awake.Id)).AgentName, (await _server.Client.Sessions.GetAsync(ended.Id)).AgentName));
        Assert.Equal("completed", (await _server.Client.Sessions.SendMessageAndWaitAsync(awake.Id, "hello")).Reason);
        await _server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "echo", SystemPrompt = "another" });
        Assert.NotEqual(before.Id, (await _server.Client.Agents.GetAsync("echo")).Id);
    }

    [Fact(Timeout = Limit)]
    public async Task WrittenFile_IsTheNextVersion_AndTheSessionBeforeKeepsItsOwn()
    {
        var session = await _server.CreateSessionAsync();
        var written = await AskAsync("POST", "/files", Files(("notes/a..b.txt", "hi"), ("CLAUDE.md", "New.")));

        Assert.Equal("""{"written":2}""", written.GetRawText());
        Assert.Equal(2, (await _server.Client.Agents.GetAsync("echo")).Version);
        Assert.Equal(1, (await _server.Client.Sessions.GetAsync(session.Id)).AgentVersion);
        Assert.Equal(["CLAUDE.md", "notes/a..b.txt"], await ListAsync());
        Assert.Equal("""{"path":"CLAUDE.md","content":"New.","size":4}""", (await AskAsync("GET", "/files/CLAUDE.md")).GetRawText());

        // The same once more changes nothing, so it is no version.
        await AskAsync("POST", "/files", Files(("CLAUDE.md", "New.")));
        Assert.Equal(2, (await _server.Client.Agents.GetAsync("echo")).Version);

        Assert.Equal("""{"deleted":true}""", (await AskAsync("DELETE", "/files/notes/a..b.txt")).GetRawText());
        Assert.Equal(["CLAUDE.md"], await ListAsync());
        Assert.Equal([3, 2, 1], (await AskAsync("GET", "/deploys")).GetProperty("deploys").EnumerateArray().Select(deploy => deploy.GetProperty("version").GetInt32()));
    }

    [Fact(Timeout = Limit)]
    public async Task Writes_AtTheSameTime_AllRemain()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(n => AskAsync("POST", "/files", Files(($"f{n}", "x")))));

        Assert.Equal(["CLAUDE.md", .. Enumerable.Range(0, 8).Select(n => $"f{n}")], await ListAsync());
        Assert.Equal(9, (await _server.Client.Agents.GetAsync("echo")).Version);
    }

    [Fact(Timeout = Limit)]
    public async Task RawFile_IsSentAsItIs_WhollyOrInPart()
    {
        await AskAsync("POST", "/files", Files(("a.json", "0123456789")));
        using var whole = await _server.Http.GetAsync("/api/agents/echo/files/a.json?format=raw");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/agents/echo/files/a.json?format=raw");
        request.Headers.Range = new RangeHeaderValue(2, 4);
        using var part = await _server.Http.SendAsync(request);

        Assert.Equal("0123456789", await whole.Content.ReadAsStringAsync());
        Assert.Equal("application/json", whole.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nosniff", whole.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.StartsWith("attachment; filename", whole.Content.Headers.ContentDisposition!.ToString(), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.PartialContent, "234"), (part.StatusCode, await part.Content.ReadAsStringAsync()));
    }

    [Theory(Timeout = Limit)]
    [InlineData("GET", "/files/nothing", HttpStatusCode.NotFound, "File not found")]
    [InlineData("GET", "/files/.claude", HttpStatusCode.BadRequest, "Path is not a file")]
    [InlineData("GET", "/files/%2e%2e%2fsecret", HttpStatusCode.BadRequest, "Invalid file path")]
    [InlineData("GET", "/files/%2fetc%2fpasswd", HttpStatusCode.BadRequest, "Invalid file path")]
    [InlineData("GET", "/files/", HttpStatusCode.BadRequest, "File path required")]
    [InlineData("DELETE", "/files/nothing", HttpStatusCode.NotFound, "File not found")]
    [InlineData("DELETE", "/files/a%2f..%2f..%2fb", HttpStatusCode.BadRequest, "Path escapes agent directory")]
    [InlineData("DELETE", "/files/CLAUDE.md", HttpStatusCode.BadRequest, "Agent directory must contain CLAUDE.md")]
    public async Task PathThatIsNoFiles_IsRefused(string method, string route, HttpStatusCode status, string error)
    {
        await AskAsync("POST", "/files", Files((".claude/settings.json", "{}")));

        Assert.Equal(error, (await AskAsync(method, route, null, status)).GetProperty("error").GetString());
    }

    [Theory(Timeout = Limit)]
    [InlineData("../x", "Path \"../x\" escapes agent directory")]
    [InlineData("/etc/x", "Path \"/etc/x\" escapes agent directory")]
    [InlineData("a//b", "files: the path \"a//b\" must be relative and must not leave the folder")]
    [InlineData("ash.json", "ash.json: the file must be an object")]
    public async Task FileThatCannotBeWritten_IsRefused_AndNoneIsWritten(string path, string error)
    {
        var refused = await AskAsync("POST", "/files", Files(("good", "x"), (path, "1")), HttpStatusCode.BadRequest);

        Assert.Equal(error, refused.GetProperty("error").GetString());
        Assert.Equal(["CLAUDE.md"], await ListAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task RollBack_MakesTheContentOfAnEarlierDeploy_TheNextVersion()
    {
        var first = await _server.Client.Agents.GetAsync("echo");
        await AskAsync("POST", "/files", Files(("CLAUDE.md", "Worse.")));

        var back = (await AskAsync("POST", "/rollback", """{"version":1}""")).GetProperty("agent");

        Assert.Equal(3, back.GetProperty("version").GetInt32());
        Assert.Equal(first.ContentHash, back.GetProperty("contentHash").GetString());
        await AskAsync("POST", "/rollback", """{"version":9}""", HttpStatusCode.NotFound);
    }

    [Fact(Timeout = Limit)]
    public async Task Clone_HasAllButTheSessions_AndGoesItsOwnWay()
    {
        await AskAsync("PATCH", "", """{"env":{"A":"1"},"config":{"x":1}}""");
        await AskAsync("POST", "/versions", """{"systemPrompt":"P"}""", HttpStatusCode.Created);
        await _server.CreateSessionAsync();

        var clone = (await AskAsync("POST", "/clone", """{"name":"twin"}""", HttpStatusCode.Created)).GetProperty("agent");
        await AskAsync("POST", "/files", Files(("CLAUDE.md", "Other.")));

        Assert.Equal(("twin", 1), (clone.GetProperty("name").GetString(), clone.GetProperty("version").GetInt32()));
        Assert.Equal("Echo.", await TextOfAsync("twin"));
        Assert.Equal("""{"config":{"x":1}}""", await _server.Http.GetStringAsync("/api/agents/twin/config"));
        Assert.Contains("\"systemPrompt\":\"P\"", await _server.Http.GetStringAsync("/api/agents/twin/versions"), StringComparison.Ordinal);
        Assert.Empty(await _server.Client.Sessions.ListAsync("twin"));
        Assert.Equal("agent_exists", (await AskAsync("POST", "/clone", """{"name":"twin"}""", HttpStatusCode.Conflict)).GetProperty("code").GetString());

        // Its content is its own: the source may go.
        await _server.Client.Agents.DeleteAsync("echo");
        Assert.Equal("Echo.", await TextOfAsync("twin"));
    }

    [Fact(Timeout = Limit)]
    public async Task Download_IsAnArchive_OfWhatWasDeployed()
    {
        await AskAsync("POST", "/files", Files(("tools/run.sh", "#!/bin/sh"), ("notes/é.txt", "x")));

        await using var stream = await _server.Http.GetStreamAsync("/api/agents/echo/download");
        await using var unpacked = new GZipStream(stream, CompressionMode.Decompress);
        await using var archive = new TarReader(unpacked);
        var entries = new Dictionary<string, string>();
        while (await archive.GetNextEntryAsync(copyData: true) is { } entry)
        {
            Assert.Equal((0, 0, TarEntryType.RegularFile), (entry.Uid, entry.Gid, entry.EntryType));
            using var reader = new StreamReader(entry.DataStream!);
            entries[entry.Name] = await reader.ReadToEndAsync();
        }

        Assert.Equal(
            [("CLAUDE.md", "Echo."), ("notes/é.txt", "x"), ("tools/run.sh", "#!/bin/sh")], entries.Select(entry => (entry.Key, entry.Value)));
    }

    [Fact(Timeout = Limit)]
    public async Task Tag_TellsStatesApart_AndKeepsAChangeFromAnotherState()
    {
        using var seen = await _server.Http.GetAsync("/api/agents/echo");
        var tag = seen.Headers.ETag!.ToString();

        Assert.Equal(HttpStatusCode.NotModified, await StatusAsync("GET", "", "If-None-Match", tag));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("PATCH", "", "If-Match", tag, """{"env":{"A":"1"}}"""));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("GET", "", "If-None-Match", tag));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusAsync("PATCH", "", "If-Match", tag, """{"env":{"A":"2"}}"""));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusAsync("POST", "/files", "If-Match", tag, Files(("x", "x"))));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusAsync("DELETE", "", "If-Match", tag));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await StatusAsync("DELETE", "", "If-Match", "no tag"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("DELETE", "", "If-Match", "*"));
    }

    [Fact(Timeout = Limit)]
    public async Task UnknownAgent_IsNotFound_WhateverIsAskedOfIt()
    {
        (string Method, string Route, string? Body)[] all =
        [
            ("GET", "", null), ("PATCH", "", "{}"), ("DELETE", "", null), ("GET", "/config", null), ("PATCH", "/config", "{}"),
            ("GET", "/files", null), ("GET", "/files/a", null), ("POST", "/files", """{"files":[]}"""), ("DELETE", "/files/a", null),
            ("GET", "/download", null), ("GET", "/deploys", null), ("POST", "/rollback", """{"version":1}"""),
            ("POST", "/clone", """{"name":"x"}"""), ("GET", "/versions", null), ("POST", "/versions", "{}"), ("GET", "/versions/1", null),
            ("PATCH", "/versions/1", "{}"), ("DELETE", "/versions/1", null), ("POST", "/versions/1/activate", null),
        ];
        foreach (var (method, route, body) in all)
        {
            using var request = Request(method, route, body, "nobody");
            using var answer = await _server.Http.SendAsync(request);
            Assert.Equal((method + route, HttpStatusCode.NotFound), (method + route, answer.StatusCode));
            Assert.Contains("\"error\":\"Agent not found\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task PromptVersions_AreNumbered_Cloned_Activated_AndRemoved()
    {
        var first = (await AskAsync("POST", "/versions", """{"systemPrompt":"One","knowledgeFiles":["a"]}""", HttpStatusCode.Created)).GetProperty("version");
        var second = (await AskAsync("POST", "/versions", """{"name":"two","cloneFrom":1}""", HttpStatusCode.Created)).GetProperty("version");
        await AskAsync("POST", "/versions/1/activate");
        var active = await AskAsync("POST", $"/versions/{second.GetProperty("id").GetString()}/activate");
        var answer = await AskAsync("PATCH", "/versions/2", """{"releaseNotes":"n"}""");
        var changed = answer.GetProperty("version");

        Assert.Equal((1, "v1", false), (first.GetProperty("versionNumber").GetInt32(), first.GetProperty("name").GetString(), first.GetProperty("isActive").GetBoolean()));
        Assert.Equal("""["a"]""", second.GetProperty("knowledgeFiles").GetRawText());

        // Some clients look for them outside of the envelope.
        Assert.All(changed.EnumerateObject(), field => Assert.Equal(field.Value.GetRawText(), answer.GetProperty(field.Name).GetRawText()));
        Assert.Equal("""{"activated":true,"versionNumber":2}""", active.GetRawText());
        Assert.Equal(("One", "n", true), (
            changed.GetProperty("systemPrompt").GetString(), changed.GetProperty("releaseNotes").GetString(), changed.GetProperty("isActive").GetBoolean()));
        Assert.Equal([(2, true), (1, false)], (await AskAsync("GET", "/versions")).GetProperty("versions").EnumerateArray()
            .Select(version => (version.GetProperty("versionNumber").GetInt32(), version.GetProperty("isActive").GetBoolean())));

        using (var deleted = await _server.Http.DeleteAsync("/api/agents/echo/versions/2"))
        {
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        }

        // A number is never given twice: who remembers version 2 does not mean this one.
        var third = await AskAsync("POST", "/versions", "{}", HttpStatusCode.Created);
        Assert.Equal(3, third.GetProperty("version").GetProperty("versionNumber").GetInt32());
        Assert.Equal("Version not found", (await AskAsync("GET", "/versions/2", null, HttpStatusCode.NotFound)).GetProperty("error").GetString());
        Assert.Equal(
            "Source version 2 not found",
            (await AskAsync("POST", "/versions", """{"cloneFrom":2}""", HttpStatusCode.BadRequest)).GetProperty("error").GetString());
    }

    private async Task<JsonElement> AskAsync(string method, string route, string? body = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var request = Request(method, route, body);
        using var answer = await _server.Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{answer.StatusCode}: {text}");
        return JsonElement.Parse(text);
    }

    private async Task<HttpStatusCode> StatusAsync(string method, string route, string header, string value, string? body = null)
    {
        using var request = Request(method, route, body);
        request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await _server.Http.SendAsync(request);
        return answer.StatusCode;
    }

    private static HttpRequestMessage Request(string method, string route, string? body, string agent = "echo") =>
        new(new HttpMethod(method), $"/api/agents/{agent}{route}")
        {
            Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"),
        };

    private async Task<IEnumerable<string?>> ListAsync() => (await AskAsync("GET", "/files")).GetProperty("files").EnumerateArray()
        .Select(file => file.GetProperty("path").GetString());

    private async Task<string?> TextOfAsync(string agent) =>
        JsonElement.Parse(await _server.Http.GetStringAsync($"/api/agents/{agent}/files/CLAUDE.md")).GetProperty("content").GetString();

    private static string Files(params (string Path, string Text)[] files) => $$"""
        {"files":[{{string.Join(',', files.Select(file =>
            $$"""{"path":{{JsonSerializer.Serialize(file.Path)}},"content":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(file.Text))}}"}"""))}}]}
        """;
}

[OnDatabase(TestDatabase.Postgres)]
public sealed class AgentApiOnPostgresTests : AgentApiTests;
