using System.Net;
using System.Text.RegularExpressions;
using Ash.Protocol.Api;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Access;

/// <summary>What another tenant has does not exist.</summary>
public sealed partial class TenantTests
{
    private const int Limit = 120_000;

    [Fact(Timeout = Limit)]
    public async Task EveryRouteWithAnId_AnswersForAnothersAsForNone()
    {
        await using var server = await InMemoryServer.StartAsync();
        var theirs = await Belongings.MakeAsync(server);
        using var stranger = await server.ConnectAsync("stranger");
        var operations = (await OpenApiOperations.ReadAsync(server)).Where(operation => operation.Path.Contains('{', StringComparison.Ordinal)).ToList();

        Assert.True(operations.Count > 15);
        foreach (var operation in operations)
        {
            var foreign = await AskAsync(stranger, operation, theirs);
            var unknown = await AskAsync(stranger, operation, Belongings.OfNobody);

            Assert.Equal((operation, unknown), (operation, foreign));
            Assert.True((int)foreign.Status is >= 400 and < 500, $"{operation}: {foreign}");
        }

        Assert.Equal("active", (await server.Client.Sessions.GetAsync(Guid.Parse(theirs.Session))).Status);
        await server.Client.Agents.GetAsync(theirs.Agent);
        Assert.Single((await server.Http.AskAsync("GET", "/api/credentials")).Body.GetProperty("credentials").EnumerateArray());
        Assert.Equal(2, (await server.Http.AskAsync("GET", "/api/api-keys")).Body.GetProperty("keys").GetArrayLength());
    }

    [Fact(Timeout = Limit)]
    public async Task Lists_HaveTheTenantsOwnAlone()
    {
        await using var server = await InMemoryServer.StartAsync();
        await Belongings.MakeAsync(server);
        using var stranger = await server.ConnectAsync("stranger");

        foreach (var (path, list, own) in new[] { ("agents", "agents", 0), ("sessions", "sessions", 0), ("credentials", "credentials", 0), ("api-keys", "keys", 1) })
        {
            Assert.Equal((path, own), (path, (await stranger.AskAsync("GET", $"/api/{path}")).Body.GetProperty(list).GetArrayLength()));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task AnothersCredential_IsNoneForANewSession()
    {
        await using var server = await InMemoryServer.StartAsync();
        var theirs = await Belongings.MakeAsync(server);
        using var stranger = await server.ConnectAsync("stranger");
        await stranger.AskAsync("POST", "/api/agents", """{"name":"mine","systemPrompt":"x"}""");

        var foreign = await stranger.AskAsync("POST", "/api/sessions", $$"""{"agent":"mine","credentialId":"{{theirs.Credential}}","exposeCredential":true}""");
        var unknown = await stranger.AskAsync("POST", "/api/sessions", $$"""{"agent":"mine","credentialId":"{{Guid.Empty}}","exposeCredential":true}""");

        Assert.Equal((HttpStatusCode.BadRequest, "Invalid or inaccessible credential"), (foreign.Status, foreign.Error));
        Assert.Equal(Without(unknown.Text), Without(foreign.Text));
    }

    private static async Task<(HttpStatusCode Status, string Body)> AskAsync(HttpClient http, Operation operation, Belongings ids)
    {
        var path = Parameter().Replace(operation.Path, parameter => ids.ValueOf(operation.Path, parameter.Groups["name"].Value));
        var answer = await http.AskAsync(operation.Method, path, operation.Body);
        return (answer.Status, Without(answer.Text, ids.All));
    }

    /// <summary>The body without what names the request and its ids.</summary>
    private static string Without(string body, params string[] ids) =>
        ids.Aggregate(RequestId().Replace(body, ""), (text, id) => text.Replace(id, "ID", StringComparison.Ordinal));

    [GeneratedRegex(@"\{\**(?<name>[A-Za-z]+)\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("\"requestId\":\"[^\"]*\"")]
    private static partial Regex RequestId();

    /// <summary>One of each thing that has an id.</summary>
    private sealed record Belongings(string Agent, string Session, string Turn, string Attachment, string Credential, string Key)
    {
        public static Belongings OfNobody { get; } =
            new("nobodys", $"{Guid.CreateVersion7()}", $"{Guid.CreateVersion7()}", $"{Guid.CreateVersion7()}", $"{Guid.CreateVersion7()}", $"{Guid.CreateVersion7()}");

        public string[] All => [Agent, Session, Turn, Attachment, Credential, Key];

        public static async Task<Belongings> MakeAsync(InMemoryServer server)
        {
            await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "theirs", SystemPrompt = "x" });
            var session = await server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = "theirs" });
            var turn = await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
            await server.Http.AskAsync("POST", "/api/agents/theirs/versions", """{"systemPrompt":"x"}""");
            var attachment = await server.Http.AskAsync("POST", $"/api/sessions/{session.Id}/attachments", """{"filename":"a","content":"eA=="}""");
            var credential = await server.Http.AskAsync("POST", "/api/credentials", """{"type":"openai","key":"sk-theirs"}""");
            var key = await server.Http.AskAsync("POST", "/api/api-keys");
            return new Belongings(
                "theirs",
                $"{session.Id}",
                $"{turn.Id}",
                attachment.Body.GetProperty("attachment").GetProperty("id").GetString()!,
                credential.Body.GetProperty("credential").GetProperty("id").GetString()!,
                key.Body.GetProperty("id").GetString()!);
        }

        /// <summary>What a route's parameter stands for. A new one has to be told here.</summary>
        public string ValueOf(string path, string parameter) => (path, parameter) switch
        {
            (_, "name") => Agent,
            (_, "turnId") => Turn,
            (_, "id") when path.StartsWith("/api/credentials", StringComparison.Ordinal) => Credential,
            (_, "id") when path.StartsWith("/api/api-keys", StringComparison.Ordinal) => Key,
            (_, "id") when path.StartsWith("/api/attachments", StringComparison.Ordinal) => Attachment,
            (_, "id") when path.StartsWith("/api/sessions", StringComparison.Ordinal) => Session,
            (_, "version") => "1",
            (_, "path") => "CLAUDE.md",
            _ => throw new InvalidOperationException($"{path}: what is {parameter}?"),
        };
    }
}
