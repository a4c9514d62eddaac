using Ash.Client.Tests.Scripted;
using Microsoft.AspNetCore.Http;

namespace Ash.Cli.Tests.Access;

public sealed class KeyTests
{
    private const string Id = "019a0000-0000-7000-8000-000000000002";
    private const string Made = $$"""{"id":"{{Id}}","key":"ash_made"}""";

    [Fact]
    public async Task Create_PrintsTheKey_ThisOnce()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("POST /api/api-keys", Made, 201);
        using var home = Home(api);

        var run = await home.RunAsync("key", "create", "--label", "ci", "--scope", "read", "--scope", "write", "--expires-at", "2027-01-31");
        var quiet = await home.RunAsync("key", "create", "-q");
        var forPrograms = await home.RunAsync("--json", "key", "create");

        Assert.StartsWith("API key created: {\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("\"key\": \"ash_made\"", run.Out, StringComparison.Ordinal);
        Assert.Equal("The key is shown this once.\n", run.Error);
        Assert.Equal(
            """{"label":"ci","scopes":["read","write"],"expiresAt":"2027-01-31T00:00:00.000Z"}""", api.Requests.First().Body);
        Assert.Equal("ash_made\n", quiet.Out);
        Assert.Equal((Made + "\n", ""), (forPrograms.Out, forPrograms.Error));
    }

    [Fact]
    public async Task List_PrintsTheKeys()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/api-keys", $$"""{"keys":[{"id":"env","label":"ASH_API_KEY","keyPrefix":"ash_abcd••••","createdAt":""},{"id":"{{Id}}","label":"ci","keyPrefix":"ash_efgh••••","createdAt":"2026-01-15T10:00:00.000Z","scopes":["read"]}]}""");
        using var home = Home(api);

        var run = await home.RunAsync("--json", "key", "list");

        Assert.Contains("\"keyPrefix\":\"ash_abcd••••\"", run.Out, StringComparison.Ordinal);
        Assert.Contains("\"scopes\":[\"read\"]", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Update_SendsWhatIsToChange()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"PATCH /api/api-keys/{Id}", $$$"""{"apiKey":{"id":"{{{Id}}}","label":"ci","keyPrefix":"ash_efgh••••","createdAt":""}}""");
        using var home = Home(api);

        var run = await home.RunAsync("key", "update", Id, "--label", "ci", "--scope", "read");
        var nothing = await home.RunAsync("key", "update", Id);

        Assert.StartsWith("API key changed: {\n", run.Out, StringComparison.Ordinal);
        Assert.Equal("""{"label":"ci","scopes":["read"]}""", Assert.Single(api.Requests).Body);
        Assert.Equal((ExitCodes.Usage, "There is nothing to change. Give --label, --scope or --expires-at.\n"), (nothing.ExitCode, nothing.Error));
    }

    [Fact]
    public async Task Delete_SaysWhatItDeleted_OrThatThereIsNone()
    {
        await using var api = await ScriptedApi.StartAsync();
        using var home = Home(api);
        api.On($"DELETE /api/api-keys/{Id}", context =>
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        });

        var run = await home.RunAsync("key", "delete", Id);
        var forPrograms = await home.RunAsync("--json", "key", "delete", Id);
        api.On($"DELETE /api/api-keys/{Id}", """{"error":"API key not found","statusCode":404,"code":"api_key_not_found"}""", 404);
        var again = await home.RunAsync("key", "delete", Id);

        Assert.Equal((ExitCodes.Ok, $"Deleted API key: {Id}\n"), (run.ExitCode, run.Out));
        Assert.Equal("{\"ok\":true}\n", forPrograms.Out);
        Assert.Equal((ExitCodes.NotFound, "Failed: API key not found (404, api_key_not_found)\n"), (again.ExitCode, again.Error));
    }

    [Theory]
    [InlineData("--scope", "root")]
    [InlineData("--expires-at", "soon")]
    public async Task WordsThatMakeNoSense_ReachNoServer(string option, string value)
    {
        await using var api = await ScriptedApi.StartAsync();
        using var home = Home(api);

        var run = await home.RunAsync("key", "create", option, value);

        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains(value, run.Error, StringComparison.Ordinal);
        Assert.Empty(api.Requests);
    }

    [Fact]
    public async Task KeyWithoutTheScope_IsToldWhichOneItNeeds()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/api-keys", """{"error":"This needs a key with the scope admin; this key's is read","statusCode":403,"code":"forbidden"}""", 403);
        using var home = Home(api);

        var run = await home.RunAsync("key", "list");

        Assert.Equal(ExitCodes.Unauthorised, run.ExitCode);
        Assert.StartsWith("Failed: This needs a key with the scope admin; this key's is read (403, forbidden)", run.Error, StringComparison.Ordinal);
    }

    private static TestHome Home(ScriptedApi api)
    {
        var home = new TestHome();
        home.Environment["ASH_SERVER_URL"] = $"{api.Url}";
        return home;
    }
}
