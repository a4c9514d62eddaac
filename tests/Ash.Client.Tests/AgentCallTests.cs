using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Client.Tests.Scripted;
using Ash.Protocol.Api;
using Microsoft.AspNetCore.Http;

namespace Ash.Client.Tests;

/// <summary>Agents changed in place, their files and prompts; forks, configurations and logs of sessions.</summary>
public sealed class AgentCallTests
{
    private const string AgentJson =
        """{"agent":{"id":"019a0000-0000-7000-8000-000000000002","name":"a b","tenantId":"default","version":3,"path":"/x","contentHash":"00","createdAt":"2026-01-15T10:00:00.000Z","updatedAt":"2026-01-15T10:00:00.000Z"}}""";

    private const string VersionJson =
        """{"version":{"id":"019a0000-0000-7000-8000-000000000003","tenantId":"t","agentName":"a b","versionNumber":2,"name":"v2","systemPrompt":null,"releaseNotes":null,"isActive":false,"knowledgeFiles":null,"createdBy":null,"createdAt":"2026-01-15T10:00:00.000Z","updatedAt":"2026-01-15T10:00:00.000Z"}}""";

    private static readonly Guid Session = new("019a0000-0000-7000-8000-000000000001");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryChangeOfAnAgent_HasItsMethodPathAndBody()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("PATCH /api/agents/a b", AgentJson)
            .On("GET /api/agents/a b/config", """{"config":{"x":1}}""")
            .On("PATCH /api/agents/a b/config", """{"config":{"x":2}}""")
            .On("POST /api/agents/a b/clone", AgentJson, 201)
            .On("GET /api/agents/a b/deploys",
                """{"deploys":[{"version":3,"contentHash":"00","isCurrent":true,"createdAt":"2026-01-15T10:00:00.000Z"}]}""")
            .On("POST /api/agents/a b/rollback", AgentJson);
        using var client = Client(api);
        var agents = client.Agents;

        Assert.Equal(3, (await agents.UpdateAsync("a b", new UpdateAgentRequest { SystemPrompt = "p" }, Stop)).Version);
        Assert.Equal(1, (await agents.GetConfigAsync("a b", Stop)).GetProperty("x").GetInt32());
        Assert.Equal(2, (await agents.UpdateConfigAsync("a b", new JsonObject { ["x"] = 2 }, Stop)).GetProperty("x").GetInt32());
        Assert.Equal("a b", (await agents.CloneAsync("a b", "c", Stop)).Name);
        Assert.True(Assert.Single(await agents.ListDeploysAsync("a b", Stop)).IsCurrent);
        Assert.Equal(3, (await agents.RollBackAsync("a b", 2, Stop)).Version);

        Assert.Equal(
            ["""{"systemPrompt":"p"}""", "", """{"x":2}""", """{"name":"c"}""", "", """{"version":2}"""],
            api.Requests.Select(request => request.Body));
    }

    [Fact]
    public async Task FilesOfAnAgent_AreListed_Read_Written_Deleted_AndDownloaded()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/agents/a b/files", """{"files":[{"path":"x","size":1,"modifiedAt":"2026-01-15T10:00:00.000Z"}]}""")
            .On("GET /api/agents/a b/files/d/x y", context => context.Request.Query["format"] == "raw"
                ? context.Response.WriteAsync("bytes")
                : context.Response.WriteAsync("""{"path":"d/x y","content":"text","size":4}"""))
            .On("POST /api/agents/a b/files", """{"written":1}""")
            .On("DELETE /api/agents/a b/files/d/x y", """{"deleted":true}""")
            .On("GET /api/agents/a b/download", context => context.Response.WriteAsync("archive"));
        using var client = Client(api);
        var files = client.AgentFiles;

        Assert.Equal("x", Assert.Single(await files.ListAsync("a b", Stop)).Path);
        Assert.Equal("text", (await files.ReadTextAsync("a b", "d/x y", Stop)).Content);
        Assert.Equal("bytes", await ReadAsync(await files.OpenAsync("a b", "d/x y", Stop)));
        Assert.Equal(1, await files.WriteAsync("a b", [new AgentFile("x", "IyBh")], Stop));
        await files.DeleteAsync("a b", "d/x y", Stop);
        Assert.Equal("archive", await ReadAsync(await files.DownloadAsync("a b", Stop)));
        await Assert.ThrowsAsync<ArgumentException>(() => files.DeleteAsync("a b", "../x", Stop));
    }

    [Fact]
    public async Task EveryCallOfPromptVersions_HasItsMethodPathAndBody()
    {
        const string Path = "/api/agents/a b/versions";
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {Path}", """{"versions":[]}""")
            .On($"POST {Path}", VersionJson, 201)
            .On($"GET {Path}/2", VersionJson)
            .On($"PATCH {Path}/2", VersionJson)
            .On($"POST {Path}/2/activate", """{"activated":true,"versionNumber":2}""")
            .On($"DELETE {Path}/2", "", 204);
        using var client = Client(api);
        var versions = client.PromptVersions;

        Assert.Empty(await versions.ListAsync("a b", Stop));
        Assert.Equal(2, (await versions.CreateAsync("a b", new PromptVersionRequest { Name = "n" }, Stop)).VersionNumber);
        Assert.Equal(2, (await versions.GetAsync("a b", "2", Stop)).VersionNumber);
        Assert.Equal("v2", (await versions.UpdateAsync("a b", "2", new PromptVersionRequest { ReleaseNotes = "r" }, Stop)).Name);
        Assert.True((await versions.ActivateAsync("a b", "2", Stop)).Activated);
        await versions.DeleteAsync("a b", "2", Stop);

        Assert.Equal(["", """{"name":"n"}""", "", """{"releaseNotes":"r"}""", "", ""], api.Requests.Select(request => request.Body));
    }

    [Fact]
    public async Task Upload_SaysHowFarItIs()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("POST /api/agents", AgentJson, 201);
        using var client = Client(api);
        var sent = new Sent();
        var content = Convert.ToBase64String(new byte[300_000]);

        await client.Agents.DeployAsync(new DeployAgentRequest { Name = "a b", Files = [new AgentFile("x", content)] }, sent, Stop);

        Assert.True(sent.Parts.Count > 5, $"{sent.Parts.Count} parts");
        Assert.Equal(sent.Parts.Order(), sent.Parts);
        Assert.Equal(1, sent.Parts[^1]);
        Assert.Equal(content, JsonElement.Parse(api.Requests.Single().Body).GetProperty("files")[0].GetProperty("content").GetString());
    }

    [Fact]
    public async Task Sessions_AreForked_Configured_AndTheirLogsRead()
    {
        var session =
            $$"""
            {"session":{"id":"{{Session}}","tenantId":"default","agentName":"a","sandboxId":"{{Session}}","status":"paused","runnerId":null,
            "parentSessionId":"{{Session}}","createdAt":"2026-01-15T10:00:00.000Z","lastActiveAt":"2026-01-15T10:00:00.000Z"} }
            """;
        var path = $"/api/sessions/{Session}";
        await using var api = await ScriptedApi.StartAsync();
        api.On($"POST {path}/fork", session, 201)
            .On($"PATCH {path}/config", session)
            .On($"GET {path}/logs", """{"logs":[{"index":4,"level":"stderr","text":"x","ts":"2026-01-15T10:00:00.000Z"}],"source":"sandbox"}""")
            .On($"GET {path}/turns/{Session}", $$"""{"turn":{"id":"{{Session}}","sessionId":"{{Session}}","status":"running","createdAt":"2026-01-15T10:00:00.000Z"} }""")
            .On("GET /api/sessions", """{"sessions":[]}""");
        using var client = Client(api);
        var sessions = client.Sessions;

        Assert.Equal(Session, (await sessions.ForkAsync(Session, Stop)).ParentSessionId);
        Assert.Equal("paused", (await sessions.ConfigureAsync(Session, new UpdateSessionConfigRequest { Model = "m" }, Stop)).Status);
        Assert.Equal("stderr", Assert.Single(await sessions.ListLogsAsync(Session, 3, Stop)).Level);
        Assert.Equal("running", (await sessions.GetTurnAsync(Session, Session, Stop)).Status);
        Assert.Empty(await sessions.ListAsync(status: "paused", cancellationToken: Stop));

        Assert.Equal(["", "", "?after=3", "", "?status=paused"], api.Requests.Select(request => request.Query));
        Assert.Equal("""{"model":"m"}""", api.Requests.ElementAt(1).Body);
    }

    private static AshClient Client(ScriptedApi api) => new(new AshClientOptions { ServerUrl = api.Url });

    private static async Task<string> ReadAsync(FileDownload download)
    {
        using (download)
        {
            using var reader = new StreamReader(download.Content);
            return await reader.ReadToEndAsync(Stop);
        }
    }

    private sealed class Sent : IProgress<double>
    {
        public List<double> Parts { get; } = [];

        public void Report(double value) => Parts.Add(value);
    }
}
