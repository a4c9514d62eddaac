using System.Net;
using Ash.Server.Tests.InMemory;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Access;

/// <summary>API keys: made, looked at, deleted, expired (contract 1.9, 3.11, 3.12, 8.1 to 8.5).</summary>
public sealed class ApiKeyTests
{
    private const int Limit = 60_000;
    private const string InternalSecret = "internal-secret-of-the-test";

    [Fact(Timeout = Limit)]
    public async Task Key_LetsIn_UntilItIsDeleted()
    {
        await using var server = await InMemoryServer.StartAsync();

        var made = await server.Http.AskAsync("POST", "/api/api-keys");
        var (id, key) = (made.Body.GetProperty("id").GetString(), made.Body.GetProperty("key").GetString()!);
        using var mine = server.Connect(key);

        Assert.Equal(HttpStatusCode.Created, made.Status);
        Assert.Matches("^ash_[A-Za-z0-9_-]{32}$", key);
        Assert.Equal(HttpStatusCode.OK, (await mine.AskAsync("GET", "/api/sessions")).Status);

        var deleted = await server.Http.AskAsync("DELETE", $"/api/api-keys/{id}");
        var after = await mine.AskAsync("GET", "/api/sessions");

        Assert.Equal((HttpStatusCode.OK, """{"ok":true}"""), (deleted.Status, deleted.Text));
        Assert.Equal((HttpStatusCode.Unauthorized, "Invalid API key"), (after.Status, after.Error));
        Assert.Equal((HttpStatusCode.NotFound, "API key not found", "api_key_not_found"), Told(await server.Http.AskAsync("DELETE", $"/api/api-keys/{id}")));
    }

    [Fact(Timeout = Limit)]
    public async Task List_HasTheStaticKeyFirst_ThenTheTenantsOwn_NewestFirst()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { ApiKey = "ash_static_key_of_the_operator" });
        await server.Http.AskAsync("POST", "/api/api-keys");
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await server.Http.AskAsync("POST", "/api/api-keys", """{"label":"ci","scopes":["write","read"],"expiresAt":"2027-01-01T00:00:00Z"}""");
        using var foreign = await server.ConnectAsync("other");

        var keys = (await server.Http.AskAsync("GET", "/api/api-keys")).Body.GetProperty("keys").EnumerateArray().ToList();

        Assert.Equal(["ASH_API_KEY", "ci", "dashboard-key"], keys.Select(key => key.GetProperty("label").GetString()));
        Assert.Equal(("env", "ash_stat••••", ""), (Text(keys[0], "id"), Text(keys[0], "keyPrefix"), Text(keys[0], "createdAt")));
        Assert.All(keys[1..], key => Assert.Matches("^ash_[A-Za-z0-9_-]{4}••••$", Text(key, "keyPrefix")));
        Assert.Equal("2026-01-15T10:00:01.000Z", Text(keys[1], "createdAt"));
        Assert.Equal("2027-01-01T00:00:00.000Z", Text(keys[1], "expiresAt"));
        Assert.Equal(["read", "write"], keys[1].GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()));
        Assert.Equal(["read", "write", "admin"], keys[2].GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()));
        var others = (await foreign.AskAsync("GET", "/api/api-keys")).Body.GetProperty("keys").EnumerateArray();
        Assert.Equal("test", Text(Assert.Single(others), "label"));
    }

    [Fact(Timeout = Limit)]
    public async Task ShortStaticKey_IsNotShown_EvenInPart()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { ApiKey = "hunter22" });

        var listed = await server.Http.AskAsync("GET", "/api/api-keys");

        Assert.DoesNotContain("hunter", listed.Text, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task KeyOfAnotherTenant_IsAsUnknownAsNone()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var foreign = await server.ConnectAsync("other");
        var id = Text(Assert.Single((await foreign.AskAsync("GET", "/api/api-keys")).Body.GetProperty("keys").EnumerateArray()), "id");

        var refused = await server.Http.AskAsync("DELETE", $"/api/api-keys/{id}");

        Assert.Equal((HttpStatusCode.NotFound, "API key not found", "api_key_not_found"), Told(refused));
        Assert.Equal(HttpStatusCode.OK, (await foreign.AskAsync("GET", "/api/sessions")).Status);
    }

    [Theory(Timeout = Limit)]
    [InlineData("not-a-uuid")]
    [InlineData("env")]
    public async Task IdOfNoKey_IsNotFound(string id)
    {
        await using var server = await InMemoryServer.StartAsync();

        Assert.Equal(HttpStatusCode.NotFound, (await server.Http.AskAsync("DELETE", $"/api/api-keys/{id}")).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task Key_LetsNobodyIn_FromTheMomentOfItsEnd()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var mine = await server.ConnectAsync("default", expiresAt: server.Clock.GetUtcNow().AddHours(1));

        server.Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromMilliseconds(1));
        var before = await mine.AskAsync("GET", "/api/sessions");
        server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        var after = await mine.AskAsync("GET", "/api/sessions");

        Assert.Equal(HttpStatusCode.OK, before.Status);
        Assert.Equal((HttpStatusCode.Unauthorized, "Invalid API key"), (after.Status, after.Error));
    }

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OpenStream_EndsWithTheKeyThatOpenedIt(bool isDeleted)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        using var mine = await server.ConnectAsync("default", expiresAt: server.Clock.GetUtcNow().AddHours(1));
        using var stream = await mine.GetAsync($"/api/sessions/{session.Id}/stream", HttpCompletionOption.ResponseHeadersRead);
        var reading = stream.Content.ReadAsStringAsync();

        if (isDeleted)
        {
            await server.Http.AskAsync("DELETE", $"/api/api-keys/{await IdOfAsync(server.Http, "test")}");
        }
        else
        {
            server.Clock.Advance(TimeSpan.FromHours(1));
        }

        await Assert.ThrowsAnyAsync<Exception>(() => reading);
    }

    [Fact(Timeout = Limit)]
    public async Task Key_IsChanged_WithoutAnotherText()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var mine = await server.ConnectAsync("default", scopes: "read");
        var id = await IdOfAsync(server.Http, "test");

        var renamed = await server.Http.AskAsync("PATCH", $"/api/api-keys/{id}", """{"label":"ci"}""");
        var before = await mine.AskAsync("POST", "/api/agents", """{"name":"x","systemPrompt":"x"}""");
        var widened = await server.Http.AskAsync("PATCH", $"/api/api-keys/{id}", """{"scopes":["write"],"expiresAt":"2026-01-15T11:00:00Z"}""");
        var after = await mine.AskAsync("POST", "/api/agents", """{"name":"x","systemPrompt":"x"}""");
        server.Clock.Advance(TimeSpan.FromHours(1));
        var atItsEnd = await mine.AskAsync("GET", "/api/agents");

        Assert.Equal((HttpStatusCode.OK, "ci"), (renamed.Status, Text(renamed.Body.GetProperty("apiKey"), "label")));
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Created), (before.Status, after.Status));
        Assert.Equal("ci", Text(widened.Body.GetProperty("apiKey"), "label"));
        Assert.Equal(["write"], widened.Body.GetProperty("apiKey").GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()));
        Assert.Equal(HttpStatusCode.Unauthorized, atItsEnd.Status);
        await using var store = await server.ReadStoreAsync();
        var stored = await store.ApiKeys.SingleAsync(key => key.Label == "ci", TestContext.Current.CancellationToken);
        Assert.Equal(("write", new DateTimeOffset(2026, 1, 15, 11, 0, 0, TimeSpan.Zero)), (stored.Scopes, stored.ExpiresAt));
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"scopes":["write"]}""")]
    [InlineData("""{"expiresAt":"2026-01-15T10:00:01Z"}""")]
    public async Task LastKey_DoesNotTakeItsOwnRightsAway(string json)
    {
        await using var server = await InMemoryServer.StartAsync();
        using var last = await server.ConnectAsync("other");
        var id = await IdOfAsync(last, "test");

        var refused = await last.AskAsync("PATCH", $"/api/api-keys/{id}", json);
        var renamed = await last.AskAsync("PATCH", $"/api/api-keys/{id}", """{"label":"mine","scopes":["admin"]}""");

        Assert.Equal((HttpStatusCode.Conflict, "last_admin_key"), (refused.Status, refused.Code));
        Assert.Equal(HttpStatusCode.OK, renamed.Status);
    }

    [Fact(Timeout = Limit)]
    public async Task TwoKeysThatDisarmEachOther_LeaveOne()
    {
        await using var server = await InMemoryServer.StartAsync();
        for (var round = 0; round < 10; round++)
        {
            var tenant = $"t{round}";
            using var one = await server.ConnectAsync(tenant);
            var ofOne = await IdOfAsync(one, "test");
            using var two = await server.ConnectAsync(tenant);
            var ofTwo = (await two.AskAsync("GET", "/api/api-keys")).Body.GetProperty("keys").EnumerateArray()
                .Select(key => Text(key, "id")).Single(id => id != ofOne);

            await Task.WhenAll(DisarmAsync(one, ofTwo), DisarmAsync(two, ofOne));

            var seen = new[] { (await one.AskAsync("GET", "/api/api-keys")).Status, (await two.AskAsync("GET", "/api/api-keys")).Status };
            Assert.Contains(HttpStatusCode.OK, seen);
        }

        // The loser's own request may end with its rights.
        static async Task DisarmAsync(HttpClient http, string other) =>
            await Record.ExceptionAsync(() => http.AskAsync("PATCH", $"/api/api-keys/{other}", """{"scopes":["read"]}"""));
    }

    [Fact(Timeout = Limit)]
    public async Task OpenStream_EndsWithTheRightsOfTheKeyThatOpenedIt()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        using var mine = await server.ConnectAsync("default");
        var id = await IdOfAsync(server.Http, "test");
        using var stream = await mine.GetAsync($"/api/sessions/{session.Id}/stream", HttpCompletionOption.ResponseHeadersRead);
        var reading = stream.Content.ReadAsStringAsync();

        await server.Http.AskAsync("PATCH", $"/api/api-keys/{id}", """{"label":"still open","scopes":["admin"]}""");
        var isOpen = !reading.IsCompleted;
        await server.Http.AskAsync("PATCH", $"/api/api-keys/{id}", """{"scopes":["read"]}""");

        Assert.True(isOpen);
        await Assert.ThrowsAnyAsync<Exception>(() => reading);
        Assert.Equal(HttpStatusCode.OK, (await mine.AskAsync("GET", $"/api/sessions/{session.Id}")).Status);
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"scopes":["root"]}""", 400, "invalid_request")]
    [InlineData("""{"expiresAt":"2001-01-01T00:00:00Z"}""", 400, "invalid_request")]
    [InlineData("""{"label":""}""", 400, "invalid_request")]
    [InlineData("""{"key":"ash_other"}""", 400, "unknown_field")]
    public async Task ChangeThatMakesNoSense_IsRefused(string json, int status, string code)
    {
        await using var server = await InMemoryServer.StartAsync();
        using var mine = await server.ConnectAsync("default");

        var refused = await server.Http.AskAsync("PATCH", $"/api/api-keys/{await IdOfAsync(server.Http, "test")}", json);

        Assert.Equal((status, code), ((int)refused.Status, refused.Code));
        Assert.Equal(HttpStatusCode.OK, (await mine.AskAsync("GET", "/api/api-keys")).Status);
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"scopes":["root"]}""", "scopes must be one or more of read, write, admin; leave it out for all")]
    [InlineData("""{"scopes":[]}""", "scopes must be one or more of read, write, admin; leave it out for all")]
    [InlineData("""{"expiresAt":"2026-01-15T10:00:00Z"}""", "expiresAt must be in the future")]
    [InlineData("""{"expiresAt":"tomorrow"}""", "body.expiresAt has the wrong type")]
    [InlineData("""{"label":""}""", "label must have 1 to 255 characters, none of them a control character")]
    [InlineData("""{"label":"a\nb"}""", "label must have 1 to 255 characters, none of them a control character")]
    [InlineData("""{"scope":["read"]}""", "scope is not a field of this request; it may have label, scopes, expiresAt")]
    public async Task RequestThatMakesNoSense_IsRefused(string json, string error)
    {
        await using var server = await InMemoryServer.StartAsync();

        var refused = await server.Http.AskAsync("POST", "/api/api-keys", json);

        Assert.Equal((HttpStatusCode.BadRequest, error), (refused.Status, refused.Error));
    }

    [Fact(Timeout = Limit)]
    public async Task LastAdminKey_DoesNotDeleteItself_WhereNothingElseLetsAnybodyIn()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { ApiKey = null });
        await server.Http.AskAsync("POST", "/api/api-keys", """{"scopes":["write"]}""");
        using var expired = await server.ConnectAsync("default", expiresAt: server.Clock.GetUtcNow().AddHours(1));
        using var foreign = await server.ConnectAsync("other");
        server.Clock.Advance(TimeSpan.FromHours(2));
        var own = await IdOfAsync(server.Http, "auto-generated");

        var refused = await server.Http.AskAsync("DELETE", $"/api/api-keys/{own}");
        await server.Http.AskAsync("POST", "/api/api-keys");
        var withAnother = await server.Http.AskAsync("DELETE", $"/api/api-keys/{own}");

        Assert.Equal((HttpStatusCode.Conflict, "last_admin_key"), (refused.Status, refused.Code));
        Assert.Contains("make one first, or start the server with ASH_API_KEY", refused.Error, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, withAnother.Status);
        Assert.Equal(HttpStatusCode.Conflict, (await foreign.AskAsync("DELETE", $"/api/api-keys/{await IdOfAsync(foreign, "test")}")).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task LastAdminKey_DeletesItself_WhereTheStaticKeyLetsTheOperatorIn()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var mine = await server.ConnectAsync("default");

        Assert.Equal(HttpStatusCode.OK, (await mine.AskAsync("DELETE", $"/api/api-keys/{await IdOfAsync(mine, "test")}")).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task LastUse_IsKnownAtOnce_AndStoredLater()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var mine = await server.ConnectAsync("default");
        await using var store = await server.ReadStoreAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(5));
        await mine.AskAsync("GET", "/api/sessions");

        var listed = (await server.Http.AskAsync("GET", "/api/api-keys")).Body.GetProperty("keys")[1];
        var before = (await store.ApiKeys.AsNoTracking().SingleAsync()).LastUsedAt;
        await server.StoreLastUsesAsync();
        var after = (await store.ApiKeys.AsNoTracking().SingleAsync()).LastUsedAt;

        Assert.Equal("2026-01-15T10:00:05.000Z", Text(listed, "lastUsedAt"));
        Assert.Null(before);
        Assert.Equal(server.Clock.GetUtcNow(), after);
    }

    [Fact(Timeout = Limit)]
    public async Task Store_HasNoKey_AndNoMoreOfItThanIsShown()
    {
        await using var server = await InMemoryServer.StartAsync();
        var key = (await server.Http.AskAsync("POST", "/api/api-keys")).Body.GetProperty("key").GetString()!;

        Assert.Empty(Canary.FilesWith(server.Folder, key[..12]));
        Assert.NotEmpty(Canary.FilesWith(server.Folder, key[..8]));
    }

    [Fact(Timeout = Limit)]
    public async Task InternalSecret_OpensEveryTenant()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { InternalSecret = InternalSecret });
        using var platform = server.Connect(InternalSecret);

        var made = await platform.AskAsync("POST", "/api/internal/api-keys", """{"tenantId":"acme"}""");
        using var acme = server.Connect(Text(made.Body, "key"));

        Assert.Equal((HttpStatusCode.OK, "acme"), (made.Status, Text(made.Body, "tenantId")));
        Assert.Equal("platform-acme", Text(Assert.Single((await acme.AskAsync("GET", "/api/api-keys")).Body.GetProperty("keys").EnumerateArray()), "label"));
        Assert.Equal("Missing required field: tenantId", (await platform.AskAsync("POST", "/api/internal/api-keys", "{}")).Error);
        Assert.Equal(HttpStatusCode.Unauthorized, (await platform.AskAsync("GET", "/api/sessions")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await platform.AskAsync("GET", "/api/internal/no-such-thing")).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task InternalRoutes_AreShut_ToKeysAndWrongSecrets()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { InternalSecret = InternalSecret });
        using var nobody = server.Connect(null);

        foreach (var http in new[] { server.Http, nobody, server.Connect(InternalSecret + "x") })
        {
            var refused = await http.AskAsync("POST", "/api/internal/api-keys", """{"tenantId":"acme"}""");
            Assert.Equal((HttpStatusCode.Unauthorized, "Unauthorized — invalid or missing internal secret", "unauthorized"), Told(refused));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task InternalRoutes_AreShut_WhereThereIsNoSecret()
    {
        await using var server = await InMemoryServer.StartAsync();

        var refused = await server.Http.AskAsync("POST", "/api/internal/api-keys", """{"tenantId":"acme"}""");

        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "Internal endpoints disabled — ASH_INTERNAL_SECRET is required in production", "internal_disabled"),
            Told(refused));
        Assert.False(refused.Headers.Contains("Retry-After"));
    }

    private static async Task<string> IdOfAsync(HttpClient http, string label)
    {
        var keys = (await http.AskAsync("GET", "/api/api-keys")).Body.GetProperty("keys");
        return Text(keys.EnumerateArray().First(key => Text(key, "label") == label), "id");
    }

    private static (HttpStatusCode Status, string? Error, string? Code) Told(Answer answer) => (answer.Status, answer.Error, answer.Code);

    private static string Text(System.Text.Json.JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
