using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Broker;
using Ash.Server.Credentials;
using Ash.Server.Tests.Access;
using Ash.Server.Tests.Broker;
using Ash.Server.Tests.InMemory;
using Ash.Server.Warm;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ash.Server.Tests.Credentials;

/// <summary>Secrets that sessions may use: they go in and never come out (contract 1.10, 3.7, 6.2, 8.6).</summary>
public sealed class CredentialTests
{
    private const int Limit = 60_000;
    private const string Canary = "sk-canary-4711-canary";
    private const string Bedrock = """{"accessKeyId":"AKIA1","secretAccessKey":"sk-canary-4711-canary","region":"eu-central-1","sessionToken":"t1"}""";

    [Fact(Timeout = Limit)]
    public async Task Secret_IsInNoAnswer_NoLog_AndNoFile()
    {
        using var log = new LogCapture();
        await using var server = await InMemoryServer.StartAsync(replace: services => services.AddSingleton<ILoggerProvider>(log));

        var made = await server.Http.AskAsync("POST", "/api/credentials", $$"""{"type":"custom","key":"{{Canary}}","label":"mine"}""");
        var id = made.Body.GetProperty("credential").GetProperty("id").GetGuid();
        await CreateSessionAsync(server, id, exposes: true);
        var list = await server.Http.AskAsync("GET", "/api/credentials");
        var session = await server.CreateSessionAsync();

        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Equal(["id", "type", "label", "active", "createdAt"], made.Body.GetProperty("credential").EnumerateObject().Select(field => field.Name));
        var listed = Assert.Single(list.Body.GetProperty("credentials").EnumerateArray());
        Assert.Equal(["id", "type", "label", "active", "createdAt", "lastUsedAt"], listed.EnumerateObject().Select(field => field.Name));
        Assert.Equal(("custom", "mine", true), (Text(listed, "type"), Text(listed, "label"), listed.GetProperty("active").GetBoolean()));
        Assert.DoesNotContain(Canary, made.Text + list.Text + await server.ReadStreamAsync(session), StringComparison.Ordinal);
        Assert.DoesNotContain(log.Lines, line => line.Contains(Canary, StringComparison.Ordinal));
        Assert.Empty(Access.Canary.FilesWith(server.Folder, Canary));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(server.Folder, "credential.key")));
    }

    [Fact(Timeout = Limit)]
    public async Task List_IsNewestFirst()
    {
        await using var server = await InMemoryServer.StartAsync();
        await MakeAsync(server, "openai", "first");
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await MakeAsync(server, "anthropic", "second");

        var list = (await server.Http.AskAsync("GET", "/api/credentials")).Body.GetProperty("credentials").EnumerateArray();

        Assert.Equal(["anthropic", "openai"], list.Select(credential => Text(credential, "type")));
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"type":"azure","key":"x"}""", "type must be one of anthropic, openai, bedrock, custom")]
    [InlineData("""{"type":"openai","key":""}""", "key must have 1 to 32768 characters, without NUL")]
    [InlineData("""{"type":"openai","key":"a\u0000b"}""", "key must have 1 to 32768 characters, without NUL")]
    [InlineData("""{"type":"openai"}""", "body must have required property key")]
    [InlineData("""{"type":"anthropic","key":"sk\nx-evil: 1"}""", "key must have no spaces, line breaks or characters beyond ASCII: it is sent as a header")]
    [InlineData("""{"type":"bedrock","key":"sk-canary"}""", "Bedrock credential must be a JSON object with accessKeyId, secretAccessKey, and region")]
    [InlineData("""{"type":"bedrock","key":"[]"}""", "Bedrock credential must be a JSON object with accessKeyId, secretAccessKey, and region")]
    [InlineData("""{"type":"bedrock","key":"{\"accessKeyId\":\"a\",\"secretAccessKey\":\"s\"}"}""", "Bedrock credential requires accessKeyId, secretAccessKey, and region")]
    [InlineData("""{"type":"bedrock","key":"{\"accessKeyId\":1,\"secretAccessKey\":\"s\",\"region\":\"r\"}"}""", "Bedrock credential requires accessKeyId, secretAccessKey, and region")]
    public async Task SecretThatCannotBeUsed_IsRefused_AsItComesIn(string json, string error)
    {
        await using var server = await InMemoryServer.StartAsync();

        var refused = await server.Http.AskAsync("POST", "/api/credentials", json);

        Assert.Equal((HttpStatusCode.BadRequest, error), (refused.Status, refused.Error));
        Assert.False(File.Exists(Path.Combine(server.Folder, "credential.key")));
    }

    [Fact(Timeout = Limit)]
    public async Task DeletedCredential_IsGone()
    {
        await using var server = await InMemoryServer.StartAsync();
        var id = await MakeAsync(server, "openai", Canary);

        var deleted = await server.Http.AskAsync("DELETE", $"/api/credentials/{id}");
        var again = await server.Http.AskAsync("DELETE", $"/api/credentials/{id}");
        var noUuid = await server.Http.AskAsync("DELETE", "/api/credentials/mine");
        var used = await CreateSessionAsync(server, id, exposes: true);

        Assert.Equal((HttpStatusCode.OK, """{"ok":true}"""), (deleted.Status, deleted.Text));
        Assert.Equal((HttpStatusCode.NotFound, "Credential not found", "credential_not_found"), (again.Status, again.Error, again.Code));
        Assert.Equal(HttpStatusCode.NotFound, noUuid.Status);
        Assert.Equal((HttpStatusCode.BadRequest, "Invalid or inaccessible credential", "invalid_credential"), (used.Status, used.Error, used.Code));
    }

    [Fact(Timeout = Limit)]
    public async Task Secret_IsChangedInItsPlace_AndUsedFromThenOn()
    {
        using var log = new LogCapture();
        await using var server = await InMemoryServer.StartAsync(replace: services => services.AddSingleton<ILoggerProvider>(log));
        var id = await MakeAsync(server, "custom", "before");
        var session = (await CreateSessionAsync(server, id, exposes: true)).Body.GetProperty("session").GetProperty("id").GetGuid();

        var changed = await server.Http.AskAsync("PATCH", $"/api/credentials/{id}", $$"""{"key":"{{Canary}}","label":"new"}""");
        await server.Http.AskAsync("POST", $"/api/sessions/{session}/stop");
        await server.Http.AskAsync("POST", $"/api/sessions/{session}/resume");

        Assert.Equal((HttpStatusCode.OK, "new"), (changed.Status, Text(changed.Body.GetProperty("credential"), "label")));
        Assert.Equal(Canary, server.Host.Environment["ASH_CUSTOM_API_KEY"]);
        Assert.DoesNotContain(Canary, changed.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(log.Lines, line => line.Contains(Canary, StringComparison.Ordinal));
        Assert.Empty(Access.Canary.FilesWith(server.Folder, Canary));
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"key":""}""", 400, "key must have 1 to 32768 characters, without NUL")]
    [InlineData("""{"key":"sk\nx-evil: 1"}""", 400, "key must have no spaces, line breaks or characters beyond ASCII: it is sent as a header")]
    [InlineData("""{"label":"a\nb"}""", 400, "label must have at most 255 characters, none of them a control character")]
    [InlineData("""{"type":"openai"}""", 400, "type is not a field of this request; it may have key, label")]
    public async Task ChangeThatMakesNoSense_IsRefused_AndTheSecretStays(string json, int status, string error)
    {
        await using var server = await InMemoryServer.StartAsync();
        var id = await MakeAsync(server, "anthropic", Canary);

        var refused = await server.Http.AskAsync("PATCH", $"/api/credentials/{id}", json);

        Assert.Equal((status, error), ((int)refused.Status, refused.Error));
        Assert.Equal(Canary, (await server.Get<CredentialStore>().OpenAsync("default", id, CancellationToken.None))!.Secret.Reveal());
    }

    [Theory(Timeout = Limit)]
    [InlineData("openai", Canary, "OPENAI_API_KEY")]
    [InlineData("custom", Canary, "ASH_CUSTOM_API_KEY")]
    [InlineData("bedrock", Bedrock, "AWS_SECRET_ACCESS_KEY")]
    public async Task OtherSecret_EntersTheSandbox_OnlyWhereTheRequestSaysSo(string type, string secret, string variable)
    {
        await using var server = await InMemoryServer.StartAsync();
        var id = await MakeAsync(server, type, secret);

        var refused = await CreateSessionAsync(server, id, exposes: false);
        var starts = server.Host.Starts;
        var made = await CreateSessionAsync(server, id, exposes: true);

        Assert.Equal((HttpStatusCode.BadRequest, "credential_not_exposed"), (refused.Status, refused.Code));
        Assert.Contains("\"exposeCredential\": true", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, starts);
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Equal(Canary, server.Host.Environment[variable]);
        if (type == "bedrock")
        {
            Assert.Equal(
                ("1", "AKIA1", "eu-central-1", "t1"),
                (server.Host.Environment["CLAUDE_CODE_USE_BEDROCK"], server.Host.Environment["AWS_ACCESS_KEY_ID"],
                    server.Host.Environment["AWS_REGION"], server.Host.Environment["AWS_SESSION_TOKEN"]));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Environment_OfTheCredential_IsOverTheAgents_AndBelowTheSessions()
    {
        await using var server = await InMemoryServer.StartAsync();
        await server.Client.Agents.DeployAsync(new DeployAgentRequest
        {
            Name = "echo", SystemPrompt = "x", Env = new Dictionary<string, string> { ["OPENAI_API_KEY"] = "agent", ["OTHER"] = "agent" },
        });
        var id = await MakeAsync(server, "openai", Canary);

        await CreateSessionAsync(server, id, exposes: true);
        var overAgents = server.Host.Environment["OPENAI_API_KEY"];
        await server.Http.AskAsync(
            "POST", "/api/sessions", $$$"""{"agent":"echo","credentialId":"{{{id}}}","exposeCredential":true,"extraEnv":{"OPENAI_API_KEY":"session"}}""");

        Assert.Equal((Canary, "session", "agent"), (overAgents, server.Host.Environment["OPENAI_API_KEY"], server.Host.Environment["OTHER"]));
    }

    [Fact(Timeout = Limit)]
    public async Task ModelsOwnSecret_NeverEntersASandbox()
    {
        await using var server = await InMemoryServer.StartAsync();
        var id = await MakeAsync(server, "anthropic", Canary);

        var refused = await CreateSessionAsync(server, id, exposes: true);
        var made = await CreateSessionAsync(server, id, exposes: false);

        Assert.Equal((HttpStatusCode.BadRequest, "credential_stays_outside"), (refused.Status, refused.Code));
        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.DoesNotContain(server.Host.Environment, variable => variable.Value.Contains(Canary, StringComparison.Ordinal));
        Assert.DoesNotContain(server.Host.CliArguments, argument => argument.Contains(Canary, StringComparison.Ordinal));
        Assert.DoesNotContain(server.Host.Told, line => line.Contains(Canary, StringComparison.Ordinal));
    }

    [Fact(Timeout = Limit)]
    public async Task ModelCalls_AreMadeWithTheSessionsKey_UntilItIsDeleted()
    {
        await using var server = await InMemoryServer.StartAsync();
        var id = await MakeAsync(server, "anthropic", Canary);
        var made = await CreateSessionAsync(server, id, exposes: false);
        var session = await server.Client.Sessions.GetAsync(made.Body.GetProperty("session").GetProperty("id").GetGuid());
        server.Host.Manner = CliManner.Waits;
        await server.BeginTurnAsync(session, "hello");
        server.Clock.Advance(TimeSpan.FromSeconds(7));

        var allowed = Assert.IsType<ModelCallVerdict.Allowed>(await CallModelAsync(server));
        var listed = Assert.Single((await server.Http.AskAsync("GET", "/api/credentials")).Body.GetProperty("credentials").EnumerateArray());
        await server.StoreLastUsesAsync();
        await using var store = await server.ReadStoreAsync();
        var stored = await store.Credentials.AsNoTracking().SingleAsync();
        await server.Http.AskAsync("DELETE", $"/api/credentials/{id}");
        var refused = Assert.IsType<ModelCallVerdict.Refused>(await CallModelAsync(server));

        Assert.Equal(Canary, allowed.ModelKey?.Reveal());
        Assert.DoesNotContain(Canary, $"{allowed}", StringComparison.Ordinal);
        Assert.Equal("2026-01-15T10:00:07.000Z", Text(listed, "lastUsedAt"));
        Assert.Equal(server.Clock.GetUtcNow(), stored.LastUsedAt);
        Assert.Equal("credential_unavailable", refused.Code);
        Assert.Contains("create a session with another credential", refused.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task SessionThatExposesOne_TakesNoSandboxThatWaits_ButOneWithTheModelsKeyDoes()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { WarmSandboxes = 1, MemoryReserveMb = 0 });
        var (exposed, models) = (await MakeAsync(server, "openai", Canary), await MakeAsync(server, "anthropic", Canary));
        await WaitForWarmAsync(server);

        await CreateSessionAsync(server, exposed, exposes: true);
        var afterExposed = (await server.Client.GetHealthAsync()).Pool.PreWarmHits;
        await CreateSessionAsync(server, models, exposes: false);
        var afterModels = (await server.Client.GetHealthAsync()).Pool.PreWarmHits;

        Assert.Equal((0, 1), (afterExposed, afterModels));
    }

    [Fact(Timeout = Limit)]
    public async Task NextSandbox_OfASessionWhoseCredentialIsGone_IsNotStartedWithoutIt()
    {
        await using var server = await InMemoryServer.StartAsync();
        var id = await MakeAsync(server, "openai", Canary);
        var session = (await CreateSessionAsync(server, id, exposes: true)).Body.GetProperty("session").GetProperty("id").GetGuid();
        await server.Http.AskAsync("POST", $"/api/sessions/{session}/stop");
        await server.Http.AskAsync("DELETE", $"/api/credentials/{id}");

        var resumed = await server.Http.AskAsync("POST", $"/api/sessions/{session}/resume");

        Assert.Equal(HttpStatusCode.InternalServerError, resumed.Status);
        Assert.Contains("The session's credential was deleted", resumed.Error, StringComparison.Ordinal);
        Assert.Empty(server.Host.Live);
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"agent":"echo","exposeCredential":true}""", "exposeCredential needs a credentialId")]
    [InlineData("""{"agent":"echo","credentialId":"mine"}""", "Invalid or inaccessible credential")]
    [InlineData("""{"agent":"echo","credentialId":""}""", "Invalid or inaccessible credential")]
    public async Task SessionRequest_ThatNamesNoCredentialOfTheTenant_IsRefused(string json, string error)
    {
        await using var server = await InMemoryServer.StartAsync();

        var refused = await server.Http.AskAsync("POST", "/api/sessions", json);

        Assert.Equal((HttpStatusCode.BadRequest, error), (refused.Status, refused.Error));
    }

    [Fact]
    public void Requests_DoNotShowTheirSecrets()
    {
        Assert.DoesNotContain(Canary, new CreateCredentialRequest { Type = "custom", Key = Canary }.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, new CreatedApiKey(Guid.Empty, Canary).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, new CreatedTenantApiKey(Guid.Empty, Canary, "t").ToString(), StringComparison.Ordinal);
    }

    private static async Task<Guid> MakeAsync(InMemoryServer server, string type, string secret)
    {
        var made = await server.Http.AskAsync("POST", "/api/credentials", JsonSerializer.Serialize(new { type, key = secret }));
        return made.Body.GetProperty("credential").GetProperty("id").GetGuid();
    }

    private static Task<Answer> CreateSessionAsync(InMemoryServer server, Guid credential, bool exposes) => server.Http.AskAsync(
        "POST", "/api/sessions", JsonSerializer.Serialize(new { agent = "echo", credentialId = credential, exposeCredential = exposes }));

    /// <summary>Each start is given its time on the test's clock.</summary>
    private static async Task WaitForWarmAsync(InMemoryServer server)
    {
        while (server.Get<WarmSandboxes>().Count == 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            server.Clock.Advance(TimeSpan.FromSeconds(0.5));
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>As the broker asks for a call that came with the sandbox's own token.</summary>
    private static async Task<ModelCallVerdict> CallModelAsync(InMemoryServer server)
    {
        var token = SHA256.HashData(Encoding.ASCII.GetBytes(server.Host.Environment["ANTHROPIC_API_KEY"]));
        return await server.Get<IModelCallAuthority>().AuthorizeAsync(Assert.Single(server.Host.Live).Identity.Id, token, CancellationToken.None);
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
