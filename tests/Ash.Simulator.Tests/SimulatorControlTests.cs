using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Ash.Simulator.Tests;

public sealed class SimulatorControlTests : IAsyncLifetime
{
    private SimulatorHost _host = null!; // set before each test
    private ModelClient _client = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _host = await SimulatorHost.StartAsync(new SimulatorOptions { RequiredKey = "k" }, Cancelled);
        _client = new(_host);
        _client.Http.DefaultRequestHeaders.Add("x-api-key", "k");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Script_IsReplaced()
    {
        Assert.Equal(HttpStatusCode.OK, await PutAsync("""{"default":{"text":"scripted"}}"""));
        Assert.Equal("scripted", await AnswerAsync("hello"));
        Assert.Equal(HttpStatusCode.BadRequest, await PutAsync("""{"oops":1}"""));
        Assert.Equal("scripted", await AnswerAsync("hello"));
    }

    [Fact]
    public async Task Queue_TakesAStepOrAList()
    {
        Assert.Equal(1, (int)(await PostAsync("/__fake/queue", """{"text":"one"}"""))["queued"]!);
        Assert.Equal(3, (int)(await PostAsync("/__fake/queue", """[{"text":"two"},{"text":"three"}]"""))["queued"]!);

        Assert.Equal("one", await AnswerAsync("hello"));
        Assert.Equal("two", await AnswerAsync("hello"));
        await PostAsync("/__fake/reset", "");
        Assert.Equal("[Mock] Turn 1 | History: hello", await AnswerAsync("hello"));
    }

    [Fact]
    public async Task Requests_AreListed_FromANumberOn()
    {
        await AnswerAsync("a");
        await AnswerAsync("b");
        var all = (await _client.GetAsync("/__fake/requests")).AsArray();
        var last = Assert.Single((await _client.GetAsync("/__fake/requests?since=1&bodies=0")).AsArray())!;

        Assert.Equal(["a", "b"], all.Select(request => (string)request!["body"]!["messages"]![0]!["content"]!));
        Assert.Equal("b", (string?)last["prompt"]);
        Assert.Null(last["body"]);
        Assert.Equal(2, (int)(await _client.GetAsync("/__fake/health"))["seq"]!);
    }

    [Fact]
    public async Task Release_LetsAHeldReplyGo()
    {
        var answer = AnswerAsync("""@@fake {"text":"held","gate":"g"}""");
        await _host.WaitUntilHeldAsync("g", Cancelled);
        Assert.Equal("""{"g":1}""", (await _client.GetAsync("/__fake/health"))["held"]!.ToJsonString());

        Assert.Equal(1, (int)(await PostAsync("/__fake/release/g", ""))["held"]!);
        Assert.Equal("held", await answer);
    }

    private async Task<string?> AnswerAsync(string prompt) => (string?)(await _client.SendAsync(prompt)).Body["content"]![0]!["text"];

    private async Task<HttpStatusCode> PutAsync(string script)
    {
        using var response = await _client.Http.PutAsync("/__fake/script", new StringContent(script), Cancelled);
        return response.StatusCode;
    }

    private async Task<JsonNode> PostAsync(string path, string body)
    {
        using var response = await _client.Http.PostAsync(path, new StringContent(body), Cancelled);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonNode>(Cancelled))!;
    }
}
