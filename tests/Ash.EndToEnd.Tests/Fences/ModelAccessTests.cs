using System.Text.Json;
using Ash.Client.Events;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Fences;

/// <summary>Every process inside reaches the broker's socket and has the token: what it may do with them.</summary>
[Collection(FenceTests.Name)]
public sealed class ModelAccessTests(FenceTests.Fixture fixture)
{
    private const string Body = """{"model":"claude-sonnet-4-5","max_tokens":10,"messages":[{"role":"user","content":"from curl"}]}""";

    private AshServer Server => fixture.Server;

    [Fact(Timeout = 60_000)]
    public async Task ACall_IsAnswered_WithinATurnOnly()
    {
        var session = await Server.CreateSessionAsync();
        await Server.SendAsync(session.Id, "hello");
        var own = await Server.TokenOfAsync(session.Id);
        var idle = await CallAsync(session.Id, own);

        var gate = $"turn-{session.Id}";
        var running = Server.PlayAsync(session.Id, $$"""[{"text":"held","gate":"{{gate}}"}]""");
        await Server.Model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken);
        var inTurn = await CallAsync(session.Id, own);
        Server.Model.Release(gate);
        await running;
        var after = await CallAsync(session.Id, own);

        Assert.Equal("403 no_turn", idle);
        Assert.Equal("200", inTurn);
        Assert.Equal("403 no_turn", after);
    }

    [Fact(Timeout = 60_000)]
    public async Task OtherTokens_OtherPaths_AndNoToken_AreRefused_InTheMidstOfATurn()
    {
        var session = await Server.CreateSessionAsync();
        var neighbour = await Server.CreateSessionAsync();
        var ended = await Server.CreateSessionAsync();
        var (own, others, dead) = (await Server.TokenOfAsync(session.Id), await Server.TokenOfAsync(neighbour.Id), await Server.TokenOfAsync(ended.Id));
        await Server.Client.Sessions.EndAsync(ended.Id, cancellationToken: TestContext.Current.CancellationToken);
        var gates = new[] { session.Id, neighbour.Id }.Select(id => $"turn-{id}").ToList();
        var turns = new[] { Server.PlayAsync(session.Id, $$"""[{"text":"x","gate":"{{gates[0]}}"}]"""), Server.PlayAsync(neighbour.Id, $$"""[{"text":"x","gate":"{{gates[1]}}"}]""") };
        foreach (var gate in gates)
        {
            await Server.Model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken);
        }

        var answers = new[]
        {
            await CallAsync(session.Id, own),
            await CallAsync(session.Id, others),
            await CallAsync(session.Id, dead),
            await CallAsync(session.Id, Server.ApiKey),
            await CallAsync(session.Id, ""),
            await CallAsync(session.Id, own, path: "/v1/models"),
            await CallAsync(session.Id, own, path: "/api/sessions"),
            await CallAsync(session.Id, own, path: "/v1/messages/batches"),
            await CallAsync(session.Id, own, path: "/v1/messages/../../api/agents"),
        };
        foreach (var gate in gates)
        {
            Server.Model.Release(gate);
        }

        await Task.WhenAll(turns);
        Assert.Equal(3, new[] { own, others, dead }.Distinct().Count());
        Assert.Equal(
            [
                "200", "403 wrong_token", "403 wrong_token", "403 wrong_token", "401 token_missing", "404 path_not_allowed", "404 path_not_allowed",
                "404 path_not_allowed", "404 path_not_allowed",
            ],
            answers);
        await Server.WaitForOutputAsync($"Refused a model call of sandbox {SandboxOf(await Server.ReadLogAsync(session.Id))}: wrong_token");
    }

    [Fact(Timeout = 60_000)]
    public async Task TheCli_CallsTheModel_WithinTurnsAlone()
    {
        var session = await Server.CreateSessionAsync();
        await Server.BashAsync(session.Id, "echo one");
        await Server.SendAsync(session.Id, "two");
        await Server.Client.Sessions.StopAsync(session.Id, TestContext.Current.CancellationToken);
        await Server.Client.Sessions.ResumeAsync(session.Id, TestContext.Current.CancellationToken);
        await Server.SendAsync(session.Id, "three");
        await Server.Client.Sessions.EndAsync(session.Id, cancellationToken: TestContext.Current.CancellationToken);

        var sandboxes = (await Server.ReadLogAsync(session.Id)).Select(e => e.Body).OfType<Lifecycle>().Where(body => body.Type == "sandbox.started")
            .Select(body => body.Fact.GetProperty("sandbox").GetString()).ToList();

        Assert.Equal(2, sandboxes.Count);
        Assert.All(sandboxes, sandbox => Assert.DoesNotContain($"Refused a model call of sandbox {sandbox}", Server.Output, StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task NoTool_PromisesATurnThatStartsByItself()
    {
        var session = await Server.CreateSessionAsync();

        var turn = await Server.PlayAsync(session.Id, """[{"tool":{"name":"ScheduleWakeup","input":{"delaySeconds":60,"reason":"r","prompt":"p"}}},{"text":"{{toolResult}}"}]""");

        Assert.DoesNotContain("scheduled for", turn.Result, StringComparison.Ordinal);
        var first = Server.Model.Requests.First(request => request.SessionId == session.Id.ToString());
        var tools = first.ReadBody().GetProperty("tools").EnumerateArray().Select(tool => tool.GetProperty("name").GetString()).ToList();
        Assert.Contains("Bash", tools);
        Assert.DoesNotContain("ScheduleWakeup", tools);
        Assert.DoesNotContain("CronCreate", first.BodyText, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task WhatASandboxSends_ReachesTheModel_WithoutHeadersOfItsOwn()
    {
        var session = await Server.CreateSessionAsync();
        var gate = $"turn-{session.Id}";
        var running = Server.PlayAsync(session.Id, $$"""[{"text":"held","gate":"{{gate}}"}]""");
        await Server.Model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken);
        var marker = Guid.NewGuid().ToString("N");

        await CallAsync(
            session.Id,
            await Server.TokenOfAsync(session.Id),
            extra: $"-H 'authorization: Bearer stolen' -H 'cookie: a={marker}' -H 'x-evil-{marker}: 1' -H 'host: evil.invalid' -H 'x-forwarded-for: 1.2.3.4'");
        Server.Model.Release(gate);
        await running;

        var request = Server.Model.Requests.Last(request => request.BodyText.Contains("from curl", StringComparison.Ordinal));
        Assert.Equal(Server.ModelKey, request.Headers["x-api-key"]);
        Assert.DoesNotContain("authorization", request.Headers.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain("cookie", request.Headers.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain("x-forwarded-for", request.Headers.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.DoesNotContain(request.Headers, header => header.Key.Contains(marker, StringComparison.OrdinalIgnoreCase) || header.Value.Contains("evil", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task ToolsThatWantANetwork_AreToldWhyThereIsNone()
    {
        var session = await Server.CreateSessionAsync();

        var http = await Server.ShellAsync(session.Id, "curl -sS -w ' %{http_code}' http://example.com/");
        var https = await Server.ShellAsync(session.Id, "curl -sS https://example.com/ 2>&1");
        var python = await Server.ShellAsync(session.Id, "python3 -c 'import urllib.request as u; u.urlopen(\"https://example.com\")' 2>&1 | tail -1");
        var fetch = await Server.PlayAsync(session.Id, """
            [{"tool":{"name":"WebFetch","input":{"url":"https://example.com/page","prompt":"what does it say"}}},{"text":"{{toolResult}}"}]
            """);

        Assert.Equal("Network access is denied: this Ash release has no egress policy, so a sandbox reaches nothing but the model.\n 403", http);
        Assert.Equal("curl: (56) CONNECT tunnel failed, response 403\n", https);
        Assert.Contains("403 Network access is denied by Ash", python, StringComparison.Ordinal);
        Assert.Contains("Access to example.com is blocked by the network egress proxy", fetch.Result, StringComparison.Ordinal);
    }

    /// <returns>The status, and the error's code where there is one.</returns>
    private async Task<string> CallAsync(Guid session, string token, string path = "/v1/messages", string extra = "")
    {
        var output = await Server.ShellAsync(session, $"""
            curl -sS --path-as-is --unix-socket /run/ash/broker.sock -w '\n%{"{http_code}"}' -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' \
              -H 'x-api-key: {token}' {extra} -d '{Body}' 'http://broker.invalid{path}'
            """);
        var lines = Inside.Lines(output);
        if (lines[^1] == "200")
        {
            return "200";
        }

        using var error = JsonDocument.Parse(lines[0]);
        return $"{lines[^1]} {error.RootElement.GetProperty("error").GetProperty("message").GetString()!.Split(':')[0]}";
    }

    private static string SandboxOf(IReadOnlyList<AshEvent> log) => log.Select(e => e.Body).OfType<Lifecycle>()
        .Last(body => body.Type == "sandbox.started").Fact.GetProperty("sandbox").GetString()!;
}
