using System.Net;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Access;

/// <summary>What a key may do follows from its scopes, on every route that there is.</summary>
public sealed class ScopeTests
{
    private const int Limit = 60_000;
    private static readonly string[] OfAdmins = ["/api/api-keys", "/api/credentials"];

    [Fact(Timeout = Limit)]
    public async Task EveryRoute_AsksForTheScopeOfItsKind()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var read = await server.ConnectAsync("default", "read");
        using var write = await server.ConnectAsync("default", "write");
        using var admin = await server.ConnectAsync("default", "admin");
        var operations = (await OpenApiOperations.ReadAsync(server))
            .Where(operation => operation.Path.StartsWith("/api/", StringComparison.Ordinal) && !operation.Path.StartsWith("/api/internal", StringComparison.Ordinal))
            .ToList();

        Assert.True(operations.Count > 20);
        foreach (var operation in operations)
        {
            var path = operation.Path.Replace("{id}", $"{Guid.Empty}", StringComparison.Ordinal).Replace("{name}", "none", StringComparison.Ordinal);
            var isOfAdmins = OfAdmins.Any(prefix => path.StartsWith(prefix, StringComparison.Ordinal));
            var needed = isOfAdmins ? "admin" : operation.Method == "GET" ? "read" : "write";

            Assert.Equal((operation, needed == "read" ? null : needed), (operation, await MissingAsync(read, operation, path)));
            Assert.Equal((operation, needed == "admin" ? needed : null), (operation, await MissingAsync(write, operation, path)));
            Assert.Equal((operation, null), (operation, await MissingAsync(admin, operation, path)));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Head_NeedsNoMoreThanGet()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var read = await server.ConnectAsync("default", "read");

        Assert.Equal(HttpStatusCode.OK, (await read.AskAsync("HEAD", "/api/sessions")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await read.AskAsync("HEAD", "/api/credentials")).Status);
    }

    /// <summary>The scope that a refusal names; null where there is none.</summary>
    private static async Task<string?> MissingAsync(HttpClient http, Operation operation, string path)
    {
        var answer = await http.AskAsync(operation.Method, path, operation.Body);
        if (answer.Status != HttpStatusCode.Forbidden)
        {
            Assert.NotEqual(HttpStatusCode.Unauthorized, answer.Status);
            return null;
        }

        Assert.Equal("forbidden", answer.Code);
        return answer.Error!.Split(' ', ';')[7];
    }
}
