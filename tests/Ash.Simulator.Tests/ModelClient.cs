using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using static Ash.Simulator.Tests.ModelRequests;

namespace Ash.Simulator.Tests;

/// <summary>Calls a scripted model as a client of the Messages API does.</summary>
internal sealed class ModelClient(SimulatorHost host) : IDisposable
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public HttpClient Http { get; } = host.CreateClient();

    public void Dispose() => Http.Dispose();

    public async Task<(HttpStatusCode Status, JsonNode Body)> SendAsync(JsonObject body)
    {
        using var response = await Http.PostAsJsonAsync("/v1/messages?beta=true", body, Cancelled);
        return (response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonNode>(Cancelled))!);
    }

    /// <summary>Sends one user text.</summary>
    public Task<(HttpStatusCode Status, JsonNode Body)> SendAsync(string prompt) => SendAsync(Body(User(prompt)));

    /// <summary>The response as soon as its headers are there.</summary>
    public Task<HttpResponseMessage> OpenStreamAsync(JsonObject body, CancellationToken cancellationToken)
    {
        body["stream"] = true;
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages?beta=true") { Content = JsonContent.Create(body) };

        return Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    public Task<HttpResponseMessage> OpenStreamAsync(string prompt) => OpenStreamAsync(Body(User(prompt)), Cancelled);

    /// <summary>All events of a stream.</summary>
    public async Task<List<JsonNode>> StreamAsync(string prompt)
    {
        using var response = await OpenStreamAsync(prompt);
        return await ReadEventsAsync(response).ToListAsync(Cancelled);
    }

    public static async IAsyncEnumerable<JsonNode> ReadEventsAsync(HttpResponseMessage response)
    {
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        await using var stream = await response.Content.ReadAsStreamAsync(Cancelled);

        await foreach (var item in SseParser.Create(stream).EnumerateAsync(Cancelled))
        {
            var data = JsonNode.Parse(item.Data)!;
            Assert.Equal(item.EventType, (string?)data["type"]);
            yield return data;
        }
    }

    public async Task<JsonNode> GetAsync(string path)
    {
        return JsonNode.Parse(await Http.GetStringAsync(path, Cancelled))!;
    }
}

internal static class StreamEvents
{
    extension(IEnumerable<JsonNode> events)
    {
        public IEnumerable<string> Types => events.Select(sent => (string)sent["type"]!);

        /// <summary>The pieces that came in deltas of this kind.</summary>
        public IEnumerable<string> Pieces(string field = "text") =>
            events.Select(sent => (string?)sent["delta"]?[field]).OfType<string>();
    }
}
