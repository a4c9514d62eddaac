using System.Net;
using Ash.Server.Tests.Broker;
using Ash.Server.Tests.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ash.Server.Tests.Access;

/// <summary>Keys cannot be guessed fast, and whoever guesses does not lock out who works.</summary>
public sealed class FailedKeyTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task Address_IsHeardNoMore_AfterTooManyWrongKeys_UntilItsWindowHasPassed()
    {
        using var log = new LogCapture();
        await using var server = await InMemoryServer.StartAsync(
            settings => settings with { FailedKeyLimit = 3 }, services => services.AddSingleton<ILoggerProvider>(log));
        using var right = await server.ConnectAsync("default");
        using var wrong = server.Connect("ash_guessed_wrong");

        var guesses = new List<Answer>();
        for (var guess = 0; guess < 4; guess++)
        {
            guesses.Add(await wrong.AskAsync("GET", "/api/sessions"));
        }

        var lucky = await right.AskAsync("GET", "/api/sessions");
        var working = await server.Http.AskAsync("GET", "/api/sessions");
        var open = await wrong.AskAsync("GET", "/health");
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        var later = await right.AskAsync("GET", "/api/sessions");

        Assert.Equal([401, 401, 401, 429], guesses.Select(guess => (int)guess.Status));
        Assert.Equal((HttpStatusCode.TooManyRequests, "too_many_wrong_keys", "60"), (lucky.Status, lucky.Code, lucky.Header("Retry-After")));
        Assert.Equal("Too many wrong keys came from this address, retry in 1 minute", lucky.Body.GetProperty("message").GetString());
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK), (working.Status, open.Status, later.Status));
        Assert.Contains(log.Lines, line => line.Contains("A wrong key came from 127.0.0.1 (so far: 1)", StringComparison.Ordinal));
        Assert.Contains(log.Lines, line => line.Contains("Too many wrong keys came from 127.0.0.1", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains("ash_guessed_wrong", StringComparison.Ordinal));
        Assert.Contains("ash_failed_keys_total 3", (await right.AskAsync("GET", "/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task WrongSecrets_CountAsWrongKeys()
    {
        await using var server = await InMemoryServer.StartAsync(
            settings => settings with { FailedKeyLimit = 1, InternalSecret = "internal-secret-of-the-test" });
        using var platform = server.Connect("internal-secret-of-the-test");
        using var wrong = server.Connect("internal-secret-of-nobody");

        await wrong.AskAsync("POST", "/api/internal/api-keys", """{"tenantId":"acme"}""");
        var shut = await platform.AskAsync("POST", "/api/internal/api-keys", """{"tenantId":"acme"}""");

        Assert.Equal((HttpStatusCode.TooManyRequests, "too_many_wrong_keys"), (shut.Status, shut.Code));
    }
}
