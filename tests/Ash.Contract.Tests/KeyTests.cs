namespace Ash.Contract.Tests;

/// <summary>Contract 3.7, 3.11, 3.12: credentials, API keys, keys of other tenants.</summary>
public sealed class KeyTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task Credential_IsLeft_Listed_AndDeleted_AndItsSecretIsNeverShown()
    {
        var made = await Api.PostAsync("/api/credentials", """{"type":"openai","key":"sk-canary-of-this-test","label":"l"}""");
        var id = made.Is(201).GetProperty("credential").GetProperty("id").GetString();
        var list = await Api.GetAsync("/api/credentials");

        Assert.Contains(id, list.Is(200).GetProperty("credentials").EnumerateArray().Select(credential => credential.GetProperty("id").GetString()));
        Assert.DoesNotContain("canary-of-this-test", made.Text + list.Text, StringComparison.Ordinal);
        var changed = (await Api.PatchAsync($"/api/credentials/{id}", """{"key":"sk-another","label":"m"}""")).Is(200).GetProperty("credential");
        Assert.Equal(("m", "openai"), (changed.GetProperty("label").GetString(), changed.GetProperty("type").GetString()));
        (await Api.PatchAsync($"/api/credentials/{id}", """{"key":""}""")).IsError(400, "invalid_request");
        (await Api.PatchAsync($"/api/credentials/{Unknown}", "{}")).IsError(404, "credential_not_found", "Credential not found");
        (await Api.DeleteAsync($"/api/credentials/{id}")).IsDeleted();
        (await Api.DeleteAsync($"/api/credentials/{id}")).IsError(404, "credential_not_found", "Credential not found");
        (await Api.DeleteAsync("/api/credentials/no-uuid")).IsError(404, "credential_not_found", "Credential not found");
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"type":"openai","key":""}""", null)]
    [InlineData("""{"type":"other","key":"x"}""", "type must be one of anthropic, openai, bedrock, custom")]
    [InlineData("""{"type":"bedrock","key":"x"}""", "Bedrock credential must be a JSON object with accessKeyId, secretAccessKey, and region")]
    [InlineData("""{"type":"bedrock","key":"{\"region\":\"x\"}"}""", "Bedrock credential requires accessKeyId, secretAccessKey, and region")]
    [InlineData("""{"key":"x"}""", null)]
    public async Task Credential_ThatIsNone_IsRefused(string body, string? error) =>
        (await Api.PostAsync("/api/credentials", body)).IsError(400, "invalid_request", error);

    [Fact(Timeout = Limit)]
    public async Task Credential_ThatWouldBeReadInside_NeedsTheCallersWord()
    {
        var agent = await DeployAsync();
        var open = await MakeAsync("""{"type":"openai","key":"sk-1"}""");
        var model = await MakeAsync("""{"type":"anthropic","key":"sk-2"}""");

        (await Api.PostAsync("/api/sessions", $$"""{"agent":"{{agent}}","credentialId":"{{open}}"}""")).IsError(400, "credential_not_exposed");
        (await Api.PostAsync("/api/sessions", $$"""{"agent":"{{agent}}","credentialId":"{{model}}","exposeCredential":true}"""))
            .IsError(400, "credential_stays_outside");
        await Api.DeleteAsync($"/api/credentials/{open}");
        await Api.DeleteAsync($"/api/credentials/{model}");

        async Task<string> MakeAsync(string body) =>
            (await Api.PostAsync("/api/credentials", body)).Is(201).GetProperty("credential").GetProperty("id").GetString()!; // A credential has one.
    }

    [Fact(Timeout = Limit)]
    public async Task ApiKey_LetsIn_WithinItsScope_UntilItIsDeleted()
    {
        var made = (await Api.PostAsync("/api/api-keys", """{"label":"reader","scopes":["read"]}""")).Is(201);
        var (id, text) = (made.GetProperty("id").GetString(), made.GetProperty("key").GetString()!); // Told once, and here.
        using var reader = Server.Connect(text);

        Assert.Matches("^ash_[A-Za-z0-9_-]{32}$", text);
        (await reader.GetAsync("/api/agents")).Is(200);
        (await reader.PostAsync("/api/agents", """{"name":"x","systemPrompt":"x"}""")).IsError(403, "forbidden");
        (await reader.GetAsync("/api/api-keys")).IsError(403, "forbidden");
        var listed = (await Api.GetAsync("/api/api-keys")).Is(200).GetProperty("keys").EnumerateArray().Single(key => key.GetProperty("id").GetString() == id);
        Assert.Equal("reader", listed.GetProperty("label").GetString());
        Assert.DoesNotContain(text, listed.GetRawText(), StringComparison.Ordinal);
        (await Api.PatchAsync($"/api/api-keys/{id}", """{"scopes":["write"],"label":"writer"}""")).Is(200);
        (await reader.PostAsync("/api/agents", """{"name":"no name"}""")).IsError(400, "invalid_request");
        (await Api.PatchAsync($"/api/api-keys/{id}", """{"scopes":["all"]}""")).IsError(400, "invalid_request");
        (await Api.PatchAsync($"/api/api-keys/{Unknown}", "{}")).IsError(404, "api_key_not_found", "API key not found");
        (await Api.DeleteAsync($"/api/api-keys/{id}")).IsDeleted();
        (await reader.GetAsync("/api/agents")).IsError(401, "unauthorized", "Invalid API key");
        (await Api.DeleteAsync($"/api/api-keys/{id}")).IsError(404, "api_key_not_found", "API key not found");
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"scopes":["all"]}""")]
    [InlineData("""{"scopes":[]}""")]
    [InlineData("""{"label":""}""")]
    [InlineData("""{"expiresAt":"2001-01-01T00:00:00Z"}""")]
    [InlineData("""{"expiresAt":"tomorrow"}""")]
    public async Task ApiKey_ThatIsNone_IsRefused(string body) => (await Api.PostAsync("/api/api-keys", body)).IsError(400, "invalid_request");

    [Fact(Timeout = Limit)]
    public async Task ApiKey_NeedsNoBody()
    {
        var made = (await Api.PostAsync("/api/api-keys")).Is(201);
        (await Api.DeleteAsync($"/api/api-keys/{made.GetProperty("id").GetString()}")).IsDeleted();
    }

    [Fact(Timeout = Limit)]
    public async Task KeyOfAnotherTenant_IsMadeWithTheInternalSecretAlone()
    {
        using var inside = Server.ConnectInternally();

        var made = (await inside.PostAsync("/api/internal/api-keys", """{"tenantId":"acme"}""")).Is(200);

        using var acme = Server.Connect(made.GetProperty("key").GetString());
        Assert.DoesNotContain("contract-", (await acme.GetAsync("/api/agents")).Text, StringComparison.Ordinal);
        (await inside.PostAsync("/api/internal/api-keys", "{}")).IsError(400, "invalid_request", "Missing required field: tenantId");
        (await Api.PostAsync("/api/internal/api-keys", """{"tenantId":"acme"}"""))
            .IsError(401, "unauthorized", "Unauthorized — invalid or missing internal secret");
    }
}
