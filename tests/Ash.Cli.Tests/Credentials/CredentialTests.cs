using Ash.Client.Tests.Scripted;
using Microsoft.AspNetCore.Http;

namespace Ash.Cli.Tests.Credentials;

public sealed class CredentialTests
{
    private const string Id = "019a0000-0000-7000-8000-000000000003";
    private const string Made =
        $$$"""{"credential":{"id":"{{{Id}}}","type":"anthropic","label":"mine","active":true,"createdAt":"2026-01-15T10:00:00.000Z"}}""";

    [Fact]
    public async Task Secret_IsReadFromStandardInput_WithoutTheLineBreakBehindIt()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("POST /api/credentials", Made, 201);
        using var home = Home(api);

        var run = await home.RunAsync(["credential", "create", "anthropic", "--label", "mine"], input: "sk-canary\n");

        Assert.StartsWith("Credential created: {\n", run.Out, StringComparison.Ordinal);
        Assert.Equal("""{"type":"anthropic","key":"sk-canary","label":"mine"}""", Assert.Single(api.Requests).Body);
        Assert.DoesNotContain("sk-canary", run.Out + run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secret_IsReadFromAFile()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("POST /api/credentials", Made, 201);
        using var home = Home(api);

        var run = await home.RunAsync("credential", "create", "bedrock", "-q", "--key-file", home.Write("secret.json", """{"region":"r"}"""));

        Assert.Equal($"{Id}\n", run.Out);
        Assert.Contains("""{\u0022region\u0022:\u0022r\u0022}""", Assert.Single(api.Requests).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoSecret_IsNotSent()
    {
        await using var api = await ScriptedApi.StartAsync();
        using var home = Home(api);

        var empty = await home.RunAsync("credential", "create", "openai");
        var missing = await home.RunAsync("credential", "create", "openai", "--key-file", "/no/such/file");
        var asArgument = await home.RunAsync("credential", "create", "openai", "sk-canary");

        Assert.Equal(ExitCodes.Failed, empty.ExitCode);
        Assert.StartsWith("There is no secret in standard input. Give it by --key-file", empty.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Failed, missing.ExitCode);
        Assert.Equal(ExitCodes.Usage, asArgument.ExitCode);
        Assert.Empty(api.Requests);
    }

    [Fact]
    public async Task Update_ReadsAnotherSecret_OnlyWhereThatIsAsked()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"PATCH /api/credentials/{Id}", Made);
        using var home = Home(api);

        var run = await home.RunAsync(["credential", "update", Id, "--key-file", "-"], input: "sk-canary\n");
        var labelled = await home.RunAsync(["credential", "update", Id, "--label", "mine"], input: "never read\n");
        var nothing = await home.RunAsync("credential", "update", Id);

        Assert.Equal(["""{"key":"sk-canary"}""", """{"label":"mine"}"""], api.Requests.Select(request => request.Body));
        Assert.DoesNotContain("sk-canary", run.Out + run.Error, StringComparison.Ordinal);
        Assert.StartsWith("Credential changed: {\n", labelled.Out, StringComparison.Ordinal);
        Assert.Equal((ExitCodes.Usage, "There is nothing to change. Give --label or --key-file.\n"), (nothing.ExitCode, nothing.Error));
    }

    [Fact]
    public async Task ListAndDelete_AreForPeopleAndPrograms()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/credentials", $$"""{"credentials":[{"id":"{{Id}}","type":"openai","label":"","active":true,"createdAt":"2026-01-15T10:00:00.000Z","lastUsedAt":null}]}""");
        api.On($"DELETE /api/credentials/{Id}", context =>
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        });
        using var home = Home(api);

        var list = await home.RunAsync("--json", "credential", "list");
        var delete = await home.RunAsync("credential", "delete", Id);
        var forPrograms = await home.RunAsync("--json", "credential", "delete", Id);

        Assert.StartsWith($"[{{\"id\":\"{Id}\",\"type\":\"openai\"", list.Out, StringComparison.Ordinal);
        Assert.Equal($"Deleted credential: {Id}\n", delete.Out);
        Assert.Equal("{\"ok\":true}\n", forPrograms.Out);
    }

    [Fact]
    public async Task Session_IsMadeWithACredential()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("POST /api/sessions", """{"error":"Invalid or inaccessible credential","statusCode":400,"code":"invalid_credential"}""", 400);
        using var home = Home(api);

        await home.RunAsync("session", "create", "a", "--credential", Id, "--expose-credential");
        await home.RunAsync("session", "create", "a");

        Assert.Contains($"\"credentialId\":\"{Id}\",\"exposeCredential\":true", api.Requests.First().Body, StringComparison.Ordinal);
        Assert.DoesNotContain("redential", api.Requests.Last().Body, StringComparison.Ordinal);
    }

    private static TestHome Home(ScriptedApi api)
    {
        var home = new TestHome();
        home.Environment["ASH_SERVER_URL"] = $"{api.Url}";
        return home;
    }
}
