using System.Net;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Agents;
using Ash.Server.Credentials;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Tests.Access;
using Ash.Server.Tests.InMemory;
using Ash.Server.Tests.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ash.Server.Tests.Credentials;

/// <summary>What agents and sessions are told, and the store cannot tell (contract 15.1, A9).</summary>
public sealed class SealedTextTests
{
    private const int Limit = 60_000;
    private const string Secret = "canary-4711-canary";
    private const string First = "first-key-of-the-operator";
    private const string Second = "second-key-of-the-operator";

    private static readonly IReadOnlyDictionary<string, string> Env = new Dictionary<string, string> { ["TOKEN"] = Secret };

    private static readonly JsonElement Servers = JsonElement.Parse($$$$"""
        {"local":{"command":"run","args":["--token","{{{{Secret}}}}"],"env":{"KEY":"{{{{Secret}}}}"}},
         "remote":{"type":"http","url":"https://u:{{{{Secret}}}}@host.example/mcp?key={{{{Secret}}}}","headers":{"Authorization":"{{{{Secret}}}}"}}}
        """);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    public async Task SecretsOfAgentsAndSessions_ReachTheSandbox_AndAreInNoFileRowAndAnswer()
    {
        await using var server = await InMemoryServer.StartAsync();
        await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "echo", SystemPrompt = "x", Env = Env });
        var configured = await server.Http.AskAsync("PATCH", "/api/agents/echo", $$$"""{"config":{"mcpServers":{{{Servers}}},"note":"n"}}""");
        await server.Http.AskAsync("POST", "/api/agents/echo/clone", """{"name":"clone"}""");

        var session = await server.Client.Sessions.CreateAsync(new CreateSessionRequest
        {
            Agent = "clone", McpServers = JsonElement.Parse($$$$"""{"own":{"command":"mine","env":{"KEY":"{{{{Secret}}}}"}}}"""),
            ExtraEnv = new Dictionary<string, string> { ["EXTRA"] = Secret },
        });
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
        var told = (server.Host.Environment["TOKEN"], server.Host.Environment["EXTRA"]);
        var servers = Assert.Single(server.Host.CliArguments, argument => argument.StartsWith("--mcp-config=", StringComparison.Ordinal));
        var forked = await server.Http.AskAsync("POST", $"/api/sessions/{session.Id}/fork");
        await server.Http.AskAsync("POST", $"/api/sessions/{forked.Body.GetProperty("session").GetProperty("id")}/resume");

        Assert.Equal((Secret, Secret), told);
        Assert.Equal(6, servers.Split(Secret).Length - 1);
        Assert.Equal((Secret, Secret), (server.Host.Environment["TOKEN"], server.Host.Environment["EXTRA"]));
        Assert.Empty(Access.Canary.FilesWith(server.Folder, Secret));
        await using var store = await server.ReadStoreAsync();
        var rows = JsonSerializer.Serialize(new object[]
        {
            await store.Agents.ToListAsync(Cancelled), await store.Sessions.ToListAsync(Cancelled), await store.Sandboxes.ToListAsync(Cancelled),
        });
        var answers = configured.Text + forked.Text + (await server.Http.AskAsync("GET", "/api/agents")).Text
            + (await server.Http.AskAsync("GET", "/api/sessions")).Text + await server.ReadStreamAsync(session);
        Assert.DoesNotContain(Secret, rows + answers, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task ConfigurationsAreShown_WithoutTheSecretsOfTheirServers()
    {
        await using var server = await InMemoryServer.StartAsync();
        await server.Http.AskAsync("PATCH", "/api/agents/echo", $$$"""{"config":{"mcp_servers":{{{Servers}}},"maxTurns":3,"note":"n"}}""");

        var agent = Assert.Single(await server.Client.Agents.ListAsync());
        var config = (await server.Http.AskAsync("GET", "/api/agents/echo/config")).Body.GetProperty("config");
        var session = await server.CreateSessionAsync();

        const string shown = """
            {"local":{"command":"run","args":["***","***"],"env":{"KEY":"***"}},
             "remote":{"type":"http","url":"https://host.example/***","headers":{"Authorization":"***"}}}
            """;
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse($$$"""{"mcp_servers":{{{shown}}},"maxTurns":3,"note":"n"}"""), agent.Config!.Value), $"{agent.Config}");
        Assert.True(JsonElement.DeepEquals(config, agent.Config!.Value), $"{config}");
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(shown), session.Config!.McpServers!.Value), $"{session.Config.McpServers}");
    }

    [Fact(Timeout = Limit)]
    public async Task AgentThatIsSentBackAsItWasShown_KeepsItsSecrets()
    {
        await using var server = await InMemoryServer.StartAsync();
        await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "echo", SystemPrompt = "x", Env = Env });
        await server.Http.AskAsync("PATCH", "/api/agents/echo", $$$"""{"config":{"mcpServers":{{{Servers}}}}}""");
        var shown = (await server.Http.AskAsync("GET", "/api/agents/echo")).Body.GetProperty("agent");
        var config = shown.GetProperty("config");

        var back = await server.Http.AskAsync("PATCH", "/api/agents/echo", $$$"""{"env":{{{shown.GetProperty("env")}}},"config":{{{config}}}}""");
        var otherName = await server.Http.AskAsync("PATCH", "/api/agents/echo/config", $$$"""{"mcp_servers":{{{config.GetProperty("mcpServers")}}}}""");
        var elsewhere = await server.Http.AskAsync(
            "PATCH", "/api/agents/echo", $$$"""{"config":{{{config.GetRawText().Replace("host.example", "thief.example", StringComparison.Ordinal)}}}}""");
        var redeployed = await server.Client.Agents.DeployAsync(
            new DeployAgentRequest { Name = "echo", SystemPrompt = "y", Env = new Dictionary<string, string> { ["TOKEN"] = "***" } });

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (back.Status, otherName.Status));
        Assert.Equal(HttpStatusCode.BadRequest, elsewhere.Status);
        Assert.Equal(
            "config.mcpServers.remote: *** stands for a value that is not shown; send the server as it is shown, or with all its values",
            elsewhere.Error);
        Assert.Equal(3, redeployed.Version);
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
        Assert.Equal(Secret, server.Host.Environment["TOKEN"]);
        Assert.Contains($$$"""--mcp-config={"mcpServers":{{{Servers.GetRawText()}}}}""".Replace("\n", "").Replace(" ", ""), server.Host.CliArguments.Select(argument => argument.Replace(" ", "")));
    }

    [Fact(Timeout = Limit)]
    public async Task ConfigurationThatCannotBeOpened_IsSetAnew()
    {
        await using var server = await InMemoryServer.StartAsync();
        await server.Http.AskAsync("PATCH", "/api/agents/echo/config", """{"note":"n"}""");
        await server.Get<StoreWriter>().WriteAsync(Durability.Process, transaction => transaction.Db.Agents.ExecuteUpdate(set => set
            .SetProperty(agent => agent.Config, "0123456789abcdef.AAAA")));

        var read = await server.Http.AskAsync("GET", "/api/agents/echo/config");
        var created = await server.Http.AskAsync("POST", "/api/sessions", """{"agent":"echo"}""");
        var listed = Assert.Single(await server.Client.Agents.ListAsync());
        var patched = await server.Http.AskAsync("PATCH", "/api/agents/echo/config", """{"model":"m"}""");

        Assert.Equal((HttpStatusCode.InternalServerError, "credential_key_missing"), (read.Status, read.Code));
        Assert.Contains("The agent's configuration is sealed with a key that this server does not have", created.Error, StringComparison.Ordinal);
        Assert.Null(listed.Config);
        Assert.Equal("""{"model":"m"}""", patched.Body.GetProperty("config").GetRawText());
        Assert.Equal("m", (await server.CreateSessionAsync()).Model);
    }

    [Fact(Timeout = Limit)]
    public async Task WhatCannotBeOpened_StartsNothing_AndIsSetAnew()
    {
        await using var server = await InMemoryServer.StartAsync();
        await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "echo", SystemPrompt = "x", Env = Env });
        await server.Http.AskAsync("PATCH", "/api/agents/echo/config", """{"note":"n"}""");
        var session = await server.CreateSessionAsync();
        await server.Http.AskAsync("POST", $"/api/sessions/{session.Id}/stop");
        await server.Get<StoreWriter>().WriteAsync(Durability.Process, transaction => transaction.Db.Agents.ExecuteUpdate(set => set
            .SetProperty(agent => agent.Env, "0123456789abcdef.AAAA")));

        var listed = Assert.Single(await server.Client.Agents.ListAsync());
        var created = await server.Http.AskAsync("POST", "/api/sessions", """{"agent":"echo"}""");
        var resumed = await server.Http.AskAsync("POST", $"/api/sessions/{session.Id}/resume");
        var cloned = await server.Http.AskAsync("POST", "/api/agents/echo/clone", """{"name":"clone"}""");

        Assert.Null(listed.Env);
        Assert.Equal("n", listed.Config!.Value.GetProperty("note").GetString());
        const string remedy = "set ASH_CREDENTIAL_KEY_PREVIOUS to it, restore credential.key, or set its variables anew";
        Assert.All([created, resumed, cloned], answer =>
        {
            Assert.Equal(HttpStatusCode.InternalServerError, answer.Status);
            Assert.Contains(remedy, answer.Error, StringComparison.Ordinal);
        });
        Assert.Equal("credential_key_missing", cloned.Code);
        Assert.Empty(server.Host.Live);

        await server.Http.AskAsync("PATCH", "/api/agents/echo", """{"env":{"TOKEN":"new"}}""");
        await server.CreateSessionAsync();
        Assert.Equal("new", server.Host.Environment["TOKEN"]);
    }

    [Theory]
    [InlineData("UPDATE agents SET env = (SELECT env FROM agents WHERE name = 'other') WHERE name = 'mine'")]
    [InlineData("UPDATE agents SET tenant_id = 'thief' WHERE name = 'mine'")]
    [InlineData("UPDATE agents SET env = config WHERE name = 'mine'")]
    [InlineData("UPDATE agents SET env = substr(env, 1, 17) WHERE name = 'mine'")]
    [InlineData("UPDATE agents SET env = substr(env, 1, 17) || '%' WHERE name = 'mine'")]
    [InlineData("UPDATE agents SET env = 'x' WHERE name = 'mine'")]
    [InlineData("UPDATE agents SET env = '{{\"TOKEN\":\"x\"}}' WHERE name = 'mine'")]
    public async Task TextThatWasMovedOrChanged_DoesNotOpen(string sql)
    {
        await using var store = new TestStore();
        var keys = Open(store);
        await AddAgentAsync(store, keys, "mine");
        await AddAgentAsync(store, keys, "other");

        await store.Writer.WriteAsync(Durability.Process, transaction => transaction.Db.Database.ExecuteSqlRaw(sql));

        await using var db = store.Read();
        var mine = await db.Agents.SingleAsync(agent => agent.Name == "mine", Cancelled);
        Assert.Throws<SealedTextException>(() => keys.Agents.OpenEnvironment(mine));
    }

    [Fact]
    public async Task NewKey_SealsAnewWhatTheOldOneSealed_AfterWhichTheOldOneIsNotNeeded()
    {
        await using var store = new TestStore();
        var first = Open(store, ("ASH_CREDENTIAL_KEY", First));
        await AddAgentAsync(store, first, "a");
        await AddSessionAsync(store, first);

        await Open(store, ("ASH_CREDENTIAL_KEY", Second), ("ASH_CREDENTIAL_KEY_PREVIOUS", First)).RotateAsync();

        var second = Open(store, ("ASH_CREDENTIAL_KEY", Second));
        await using var db = store.Read();
        var (agent, session) = (await db.Agents.SingleAsync(Cancelled), await db.Sessions.SingleAsync(Cancelled));
        Assert.Equal(Secret, second.Agents.OpenEnvironment(agent)!["TOKEN"]);
        Assert.Equal("""{"note":1}""", second.Agents.OpenConfig(agent));
        Assert.Equal(Secret, second.Sessions.Open(session).ExtraEnv!["TOKEN"]);
        Assert.Throws<SealedTextException>(() => first.Sessions.Open(session));
    }

    [Fact]
    public async Task WithoutItsKey_ATextStaysAsItIs_UntilTheKeyIsBack()
    {
        await using var store = new TestStore();
        var first = Open(store, ("ASH_CREDENTIAL_KEY", First));
        await AddAgentAsync(store, first, "a");

        await Open(store, ("ASH_CREDENTIAL_KEY", Second)).RotateAsync();

        await using var db = store.Read();
        Assert.Equal(Secret, first.Agents.OpenEnvironment(await db.Agents.SingleAsync(Cancelled))!["TOKEN"]);
    }

    [Fact]
    public async Task PlainTextOfAnEarlierRelease_IsSealedAtTheStart()
    {
        await using var store = new TestStore();
        var keys = Open(store);
        await AddAgentAsync(store, keys, "a");
        await AddSessionAsync(store, keys);
        await store.Writer.WriteAsync(Durability.Process, transaction =>
        {
            transaction.Db.Agents.ExecuteUpdate(set => set.SetProperty(agent => agent.Env, $$$"""{"TOKEN":"{{{Secret}}}"}"""));
            transaction.Db.Sessions.ExecuteUpdate(set => set
                .SetProperty(session => session.Secrets, $$$"""{"extraEnv":{"TOKEN":"{{{Secret}}}"}}""")
                .SetProperty(session => session.Config, $$$"""{"mcpServers":{{{Servers}}},"maxTurns":3}"""));
        });

        await keys.RotateAsync();

        await using var db = store.Read();
        var (agent, session) = (await db.Agents.SingleAsync(Cancelled), await db.Sessions.SingleAsync(Cancelled));
        Assert.DoesNotContain(Secret, agent.Env + session.Secrets + session.Config, StringComparison.Ordinal);
        Assert.Equal((Secret, """{"note":1}"""), (keys.Agents.OpenEnvironment(agent)!["TOKEN"], keys.Agents.OpenConfig(agent)));
        var secrets = keys.Sessions.Open(session);
        Assert.Equal(Secret, secrets.ExtraEnv!["TOKEN"]);
        Assert.True(JsonElement.DeepEquals(Servers, secrets.McpServers!.Value));
        Assert.Contains("\"command\":\"run\"", session.Config, StringComparison.Ordinal);
    }

    private static Task AddAgentAsync(TestStore store, Sealing sealing, string name) => store.Writer.WriteAsync(Durability.Process, transaction =>
    {
        var agent = new AgentRecord { Id = Guid.CreateVersion7(), TenantId = "t", Name = name, ContentHash = "x" };
        sealing.Agents.SetEnvironment(agent, Env);
        sealing.Agents.SetConfig(agent, """{"note":1}""");
        transaction.Db.Agents.Add(agent);
        transaction.Db.SaveChanges();
    });

    private static Task AddSessionAsync(TestStore store, Sealing sealing) => store.Writer.WriteAsync(Durability.Process, transaction =>
    {
        var session = new SessionRecord
        {
            Id = Guid.CreateVersion7(), TenantId = "t", AgentName = "a", ContentHash = "x", PermissionMode = "default", Isolation = "full",
        };
        sealing.Sessions.Set(session, new SessionSecrets { ExtraEnv = Env });
        transaction.Db.Sessions.Add(session);
        transaction.Db.SaveChanges();
    });

    /// <summary>What seals and opens, as a server has it that was started with these settings.</summary>
    private static Sealing Open(TestStore store, params (string Name, string Value)[] environment) =>
        new(new TestKeys.Contexts(store), store.Writer, new SealedTexts(TestKeys.Open(store, environment)));

    private sealed class Sealing(TestKeys.Contexts contexts, StoreWriter writer, SealedTexts texts)
    {
        public SealedAgents Agents { get; } = new(contexts, writer, texts);

        public SealedSessions Sessions { get; } = new(contexts, writer, texts);

        /// <summary>As at a server's start.</summary>
        public async Task RotateAsync()
        {
            using var rotation = new SealedTextRotation(texts, [Agents, Sessions], NullLogger<SealedTextRotation>.Instance);
            await rotation.StartAsync(Cancelled);
            await rotation.ExecuteTask!;
        }
    }
}
