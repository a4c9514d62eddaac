using System.Net;
using Ash.Server.Access;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Access;

/// <summary>Limits by key, in the contract's words (3.0.1), and what is never limited.</summary>
public sealed class RateLimitTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task Key_IsRefused_BeyondItsLimit_UntilTheNextWindow()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { RateLimit = 3 });
        using var mine = await server.ConnectAsync("default");
        using var another = await server.ConnectAsync("default");

        var first = await mine.AskAsync("GET", "/api/sessions");
        server.Clock.Advance(TimeSpan.FromSeconds(20));
        await mine.AskAsync("GET", "/api/no-such-thing");
        var last = await mine.AskAsync("GET", "/api/sessions");
        var refused = await mine.AskAsync("GET", "/api/sessions");
        var neighbours = await another.AskAsync("GET", "/api/sessions");
        server.Clock.Advance(TimeSpan.FromSeconds(40));
        var next = await mine.AskAsync("GET", "/api/sessions");

        Assert.Equal(("3", "2", "60"), Limits(first));
        Assert.Equal(("3", "0", "40"), Limits(last));
        Assert.Equal(("3", "0", "40"), Limits(refused));
        Assert.Equal((HttpStatusCode.TooManyRequests, "40"), (refused.Status, refused.Header("Retry-After")));
        Assert.Equal(
            ("Too Many Requests", 429, "Rate limit exceeded, retry in 40 seconds", "rate_limited"),
            (refused.Error, refused.Body.GetProperty("statusCode").GetInt32(), refused.Body.GetProperty("message").GetString(), refused.Code));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (neighbours.Status, next.Status));
        Assert.Equal(("3", "2", "60"), Limits(next));
    }

    [Fact(Timeout = Limit)]
    public async Task NewSessionsAndDeploys_AreCountedApart()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { CreateRateLimit = 2 });
        using var mine = await server.ConnectAsync("default");

        await mine.AskAsync("POST", "/api/sessions", """{"agent":"none"}""");
        var last = await mine.AskAsync("POST", "/api/sessions", """{"agent":"none"}""");
        var refused = await mine.AskAsync("POST", "/api/sessions", """{"agent":"none"}""");
        var deploy = await mine.AskAsync("POST", "/api/agents", "{}");
        var list = await mine.AskAsync("GET", "/api/sessions");

        Assert.Equal((HttpStatusCode.NotFound, ("2", "0", "60")), (last.Status, Limits(last)));
        Assert.Equal((HttpStatusCode.TooManyRequests, "rate_limited"), (refused.Status, refused.Code));
        Assert.Equal((HttpStatusCode.BadRequest, ("2", "1", "60")), (deploy.Status, Limits(deploy)));
        Assert.Equal((HttpStatusCode.OK, ("60000", "59999", "60")), (list.Status, Limits(list)));
    }

    [Theory(Timeout = Limit)]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    [InlineData("/metrics")]
    public async Task WhatIsWatched_IsNeverLimited(string path)
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { RateLimit = 1 });
        using var mine = await server.ConnectAsync("default");

        for (var time = 0; time < 3; time++)
        {
            var answer = await mine.AskAsync("GET", path);
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.False(answer.Headers.Contains("x-ratelimit-limit"));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task RefusedKeys_AreNotCounted_AndTellNothingOfLimits()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var nobody = server.Connect(null);

        var refused = await nobody.AskAsync("GET", "/api/sessions");

        Assert.Equal(HttpStatusCode.Unauthorized, refused.Status);
        Assert.False(refused.Headers.Contains("x-ratelimit-limit"));
    }

    [Fact(Timeout = Limit)]
    public async Task Zero_IsWithoutLimit()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { RateLimit = 0, CreateRateLimit = 0 });

        var answer = await server.Http.AskAsync("GET", "/api/sessions");

        Assert.Equal((HttpStatusCode.OK, false), (answer.Status, answer.Headers.Contains("x-ratelimit-limit")));
    }

    [Fact]
    public void Partitions_DoNotFillTheMemory()
    {
        var clock = new TestClock();
        var windows = new RateWindows<string>(1, TimeSpan.FromMinutes(1), clock, maxPartitions: 2);
        Assert.False(windows.Take("one").IsExceeded);
        Assert.False(windows.Take("two").IsExceeded);

        // They share what is left, and yet nothing is held against one that only asks.
        Assert.False(windows.Take("three").IsExceeded);
        Assert.True(windows.Take("four").IsExceeded);
        Assert.False(windows.Look("four").IsExceeded);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False(windows.Take("three").IsExceeded);
        Assert.False(windows.Take("four").IsExceeded);
        Assert.True(windows.Take("four").IsExceeded);
    }

    private static (string Limit, string Remaining, string Reset) Limits(Answer answer) =>
        (answer.Header("x-ratelimit-limit"), answer.Header("x-ratelimit-remaining"), answer.Header("x-ratelimit-reset"));
}
