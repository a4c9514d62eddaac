using System.Net;
using System.Text.RegularExpressions;
using Ash.Protocol.Api;
using Ash.Server.Broker;
using Ash.Server.Telemetry;
using Ash.Server.Tests.Access;
using Ash.Server.Tests.InMemory;
using Ash.Server.Tests.Storage;

namespace Ash.Server.Tests.Telemetry;

/// <summary>The page for Prometheus: its form, what is counted, and what never stands on it.</summary>
public sealed partial class MetricPageTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task Page_HasTheContractsFigures_FromTheStart()
    {
        await using var server = await InMemoryServer.StartAsync();

        var page = await Exposition.ReadAsync(server.Http);

        Assert.Equal(1, page.Value($"ash_up{{coordinator=\"{Environment.MachineName}-{Environment.ProcessId}\"}}"));
        Assert.Equal(("gauge", "counter", "counter"), (page.Families["ash_pool_sandboxes"].Type, page.Families["ash_resume_total"].Type, page.Families["ash_resume_cold_total"].Type));
        Assert.All(
            [
                "ash_active_sessions", "ash_active_sandboxes",
                "ash_pool_sandboxes{state=\"cold\"}", "ash_pool_sandboxes{state=\"warming\"}", "ash_pool_sandboxes{state=\"warm\"}",
                "ash_pool_sandboxes{state=\"waiting\"}", "ash_pool_sandboxes{state=\"running\"}",
                "ash_resume_total{path=\"warm\"}", "ash_resume_total{path=\"cold\"}", "ash_resume_total{path=\"prewarm\"}",
                "ash_resume_cold_total{source=\"local\"}", "ash_resume_cold_total{source=\"cloud\"}", "ash_resume_cold_total{source=\"fresh\"}",
            ],
            sample => Assert.Equal(0, page.Value(sample)));
        Assert.True(page.Value("ash_uptime_seconds") >= 0);
        Assert.Equal(1000, page.Value("ash_pool_max_capacity"));
    }

    [Fact(Timeout = Limit)]
    public async Task Turn_IsCounted_WithAllThatBelongsToIt()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hi");
        await server.Client.Sessions.PauseAsync(session.Id);
        await server.Client.Sessions.ResumeAsync(session.Id);

        var page = await Exposition.ReadAsync(server.Http);

        Assert.All(
            [
                "ash_active_sessions", "ash_active_sandboxes", "ash_pool_sandboxes{state=\"waiting\"}", "ash_turns_total{outcome=\"completed\"}",
                "ash_turn_duration_seconds_count", "ash_turn_wait_seconds_count", "ash_turn_time_to_first_token_seconds_count",
                "ash_sandbox_starts_total{outcome=\"ready\"}", "ash_sandbox_start_duration_seconds_count", "ash_resume_total{path=\"warm\"}",
                "ash_http_requests_total{method=\"POST\",route=\"/api/sessions\",status=\"201\"}",
                "ash_http_requests_total{method=\"POST\",route=\"/api/sessions/{id}/messages\",status=\"200\"}",
                "ash_http_request_duration_seconds_count{method=\"POST\",route=\"/api/sessions/{id}/pause\"}",
            ],
            sample => Assert.Equal(1, page.Value(sample)));

        // The message, its start, the agent's four lines, its end; the sandbox; the pause and the wake.
        Assert.True(page.Value("ash_events_total") >= 9);
        Assert.True(page.Value("ash_store_writes_total") > 0);
        Assert.True(page.Value("ash_store_commit_duration_seconds_count{synced=\"true\"}") > 0);
        Assert.Equal((0, 0, 0), (page.Value("ash_turns_running"), page.Value("ash_turns_waiting"), page.Value("ash_store_queue")));
    }

    [Fact(Timeout = Limit)]
    public async Task WhatRunsAndWhatWaits_IsShown_AndWhoWatches()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Manner = CliManner.Waits;
        var session = await server.CreateSessionAsync();
        var first = await server.BeginTurnAsync(session, "one");
        var second = await server.BeginTurnAsync(session, "two");

        var during = await Exposition.ReadAsync(server.Http);
        await server.Client.Sessions.EndAsync(session.Id);
        await Task.WhenAll(first, second);
        var after = await Exposition.ReadAsync(server.Http);

        Assert.Equal((1, 1, 2), (during.Value("ash_turns_running"), during.Value("ash_turns_waiting"), during.Value("ash_streams_open")));
        Assert.Equal((0, 0, 0), (after.Value("ash_turns_running"), after.Value("ash_turns_waiting"), after.Value("ash_streams_open")));
        Assert.Equal((1, 1), (after.Value("ash_turns_total{outcome=\"interrupted\"}"), after.Value("ash_turns_total{outcome=\"cancelled\"}")));

        // A stream has no duration to speak of, and one that never began has none at all.
        Assert.DoesNotContain("ash_http_request_duration_seconds_count{method=\"POST\",route=\"/api/sessions/{id}/messages\"}", after.Samples.Keys);
        Assert.Equal(1, after.Value("ash_turn_duration_seconds_count"));
    }

    [Fact(Timeout = Limit)]
    public async Task ModelCalls_AreCounted_WithTheirTokens()
    {
        await using var server = await InMemoryServer.StartAsync();
        var metrics = server.Get<ServerMetrics>();

        metrics.ModelCalled(Call("claude-a") with { RequestBytes = 100, ResponseBytes = 200 });
        metrics.ModelCalled(Call(model: null) with { Status = 529 });
        metrics.Cost("claude-a", 0.25);
        var page = await Exposition.ReadAsync(server.Http);

        const string GenAi = "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"anthropic\",gen_ai_request_model=";
        Assert.Equal(
            [1, 1, 100, 200, 10, 20, 30, 40, 80, 20, 1, 1, 0.25],
            new[]
            {
                "ash_broker_calls_total{operation=\"messages\",status=\"200\"}", "ash_broker_calls_total{operation=\"messages\",status=\"529\"}",
                "ash_broker_io_bytes_total{direction=\"sent\"}", "ash_broker_io_bytes_total{direction=\"received\"}",
                "ash_tokens_total{model=\"claude-a\",type=\"input\"}", "ash_tokens_total{model=\"claude-a\",type=\"output\"}",
                "ash_tokens_total{model=\"claude-a\",type=\"cache_creation\"}", "ash_tokens_total{model=\"claude-a\",type=\"cache_read\"}",
                $"gen_ai_client_token_usage_sum{{{GenAi}\"claude-a\",gen_ai_token_type=\"input\"}}",
                $"gen_ai_client_token_usage_sum{{{GenAi}\"claude-a\",gen_ai_token_type=\"output\"}}",
                $"gen_ai_client_operation_duration_seconds_count{{{GenAi}\"claude-a\"}}",
                $"gen_ai_client_operation_duration_seconds_count{{{GenAi}\"other\",error_type=\"529\"}}",
                "ash_cost_usd_total{model=\"claude-a\"}",
            }.Select(page.Value));
    }

    [Fact(Timeout = Limit)]
    public async Task Models_AreNamedUpToANumber_AndNoTextPassesForAName()
    {
        await using var server = await InMemoryServer.StartAsync();
        var metrics = server.Get<ServerMetrics>();

        foreach (var model in Enumerable.Range(0, 1000).Select(static n => $"model-{n}").Append("write me a poem").Append("x\"} 1\nash_up 0"))
        {
            metrics.ModelCalled(Call(model));
        }

        var page = await Exposition.ReadAsync(server.Http);

        var models = page.Samples.Keys.Where(static sample => sample.StartsWith("ash_tokens_total", StringComparison.Ordinal) && sample.Contains("type=\"input\"", StringComparison.Ordinal)).ToList();
        Assert.Equal(BoundedNames.Most + 1, models.Count);
        Assert.Equal(10 * (1002 - BoundedNames.Most), page.Value("ash_tokens_total{model=\"other\",type=\"input\"}"));
    }

    [Fact(Timeout = Limit)]
    public async Task NothingOfWhoAskedAndWhatFor_StandsOnThePage()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var mine = await server.ConnectAsync("canary-tenant");
        await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "canary-agent", SystemPrompt = "Canary." });
        var session = await server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = "canary-agent", Model = "canary-model" });
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "canary-text");
        await mine.AskAsync("GET", "/api/sessions/canary-id");
        await mine.AskAsync("GET", "/canary-path?canary=1");
        await mine.AskAsync("CANARY", "/api/sessions");
        await mine.AskAsync("GET", "/api/agents/canary-agent/files/canary.txt");

        var text = await server.Http.GetStringAsync("/metrics");

        var page = new Exposition(text);
        Assert.DoesNotContain("canary", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain($"{session.Id}", text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(1, page.Value("ash_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}"));
        Assert.Equal(1, page.Value("ash_http_requests_total{method=\"OTHER\",route=\"none\",status=\"405\"}"));
    }

    [Fact(Timeout = Limit)]
    public async Task Refusals_AreCountedByTheirCode()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { RateLimit = 1 });
        using var mine = await server.ConnectAsync("default");
        using var nobody = server.Connect("ash_wrong");
        await mine.AskAsync("GET", "/api/sessions");
        await mine.AskAsync("GET", "/api/sessions");
        await nobody.AskAsync("GET", "/api/sessions");

        var page = await Exposition.ReadAsync(server.Http);

        Assert.Equal(1, page.Value("ash_http_problems_total{code=\"rate_limited\"}"));
        Assert.Equal(1, page.Value("ash_http_requests_total{method=\"GET\",route=\"/api/sessions\",status=\"429\"}"));
        Assert.Equal((1, 1), (page.Value("ash_http_requests_total{method=\"GET\",route=\"/api/sessions\",status=\"401\"}"), page.Value("ash_failed_keys_total")));
    }

    [Fact(Timeout = Limit)]
    public async Task Failure_IsCountedWithItsRoute()
    {
        var contexts = new FailingContexts();
        await using var server = await InMemoryServer.StartAsync(replace: contexts.Replace);
        contexts.FailuresLeft = 1;

        var failed = await server.Http.AskAsync("GET", "/api/sessions");
        var page = await Exposition.ReadAsync(server.Http);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, failed.Status);
        Assert.Equal(1, page.Value("ash_http_requests_total{method=\"GET\",route=\"/api/sessions\",status=\"503\"}"));
    }

    [Fact(Timeout = Limit)]
    public async Task Scrape_AsksNoDatabase()
    {
        var contexts = new FailingContexts();
        await using var server = await InMemoryServer.StartAsync(replace: contexts.Replace);
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hi");
        contexts.FailuresLeft = 1000;
        var before = await Exposition.ReadAsync(server.Http);

        var after = await Exposition.ReadAsync(server.Http);

        Assert.Equal(1000, contexts.FailuresLeft);
        Assert.Equal(before.Value("ash_store_writes_total"), after.Value("ash_store_writes_total"));
    }

    [Fact]
    public void PathOfAnEvent_AllocatesNothing()
    {
        using var metrics = new ServerMetrics();
        using var page = new MetricPage(metrics);
        Count(100);
        var before = GC.GetAllocatedBytesForCurrentThread();

        Count(1000);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(3300, new Exposition(page.Write()).Value("ash_events_total"));

        void Count(int times)
        {
            for (var i = 0; i < times; i++)
            {
                metrics.EventsAppended(3);
                metrics.Committed(isSynced: false, 1, TimeSpan.FromMilliseconds(1));
                metrics.RequestEnded("GET", "/api/sessions/{id}", 200, TimeSpan.FromMilliseconds(1));
            }
        }
    }

    [Fact(Timeout = Limit)]
    public async Task EveryFigure_IsInTheGuide_AndTheOtherWayAround()
    {
        await using var server = await InMemoryServer.StartAsync();

        var page = await Exposition.ReadAsync(server.Http);
        var guide = Documented().Matches(await File.ReadAllTextAsync(Guide())).Select(static row => (row.Groups["name"].Value, row.Groups["type"].Value));

        Assert.Equal(page.Families.Select(static family => (family.Key, family.Value.Type)).Order(), guide.Order());
    }

    private static ModelCall Call(string? model) => new(
        "sandbox", "turn", ModelOperation.Messages, model, 10, 20, 30, 40, 200, null, 1, true, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0.5));

    private static string Guide()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Ash.slnx")))
        {
            folder = folder.Parent!; // The repository is above.
        }

        return Path.Combine(folder.FullName, "docs", "guides", "observability.md");
    }

    [GeneratedRegex(@"^\| `(?<name>(ash|gen_ai)_[a-z_]+)` \| (?<type>[a-z]+) \|", RegexOptions.Multiline)]
    private static partial Regex Documented();
}
