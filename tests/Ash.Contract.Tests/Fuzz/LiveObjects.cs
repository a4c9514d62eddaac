using System.Text;
using System.Text.Json;
using Ash.Testing;

namespace Ash.Contract.Tests.Fuzz;

/// <summary>Things that there are on the server, for requests that get past the first check. Made anew where requests have removed them.</summary>
internal sealed class LiveObjects(AshServer server)
{
    private const int MostSessions = 12;
    private readonly Dictionary<string, string> _sessions = [];

    public string Agent { get; } = "live";

    public string Turn { get; private set; } = "";

    public string Attachment { get; private set; } = "";

    public string Credential { get; private set; } = "";

    public string Key { get; private set; } = "";

    public IReadOnlyList<string> Sessions { get; private set; } = [];

    public async Task RefreshAsync()
    {
        await AskAsync("POST", "/api/agents", """{"name":"live","systemPrompt":"x"}""");
        if (await AskAsync("GET", "/api/agents/live/versions/1") is null)
        {
            await AskAsync("POST", "/api/agents/live/versions", """{"systemPrompt":"x"}""");
        }

        foreach (var state in new[] { "active", "paused", "stopped", "ended" })
        {
            if (!_sessions.TryGetValue(state, out var id) || await StatusOfAsync(id) != state)
            {
                _sessions[state] = await CreateAsync(state);
            }
        }

        Sessions = [.. _sessions.Values];
        var active = $"/api/sessions/{_sessions["active"]}";
        Turn = (await AskAsync("POST", $"{active}/messages", """{"content":"NODELAY"}"""))?.GetProperty("turn").GetProperty("id").GetString() ?? Turn;
        Attachment = (await AskAsync("POST", $"{active}/attachments", """{"filename":"a","content":"eA=="}"""))!.Value
            .GetProperty("attachment").GetProperty("id").GetString()!; // It was made.
        Credential = (await AskAsync("POST", "/api/credentials", """{"type":"openai","key":"sk-x"}"""))!.Value
            .GetProperty("credential").GetProperty("id").GetString()!; // As above.
        Key = (await AskAsync("POST", "/api/api-keys", """{"scopes":["read"]}"""))!.Value.GetProperty("id").GetString()!; // As above.
        await RemoveOthersAsync();
    }

    /// <summary>What requests made, and would fill the machine.</summary>
    private async Task RemoveOthersAsync()
    {
        var all = (await AskAsync("GET", "/api/sessions"))!.Value.GetProperty("sessions").EnumerateArray() // There is a list.
            .Select(session => session.GetProperty("id").GetString()!)
            .Except(Sessions)
            .ToList();
        foreach (var id in all.Skip(MostSessions - Sessions.Count))
        {
            await AskAsync("DELETE", $"/api/sessions/{id}?purge=true");
        }
    }

    private async Task<string> CreateAsync(string state)
    {
        var id = (await AskAsync("POST", "/api/sessions", """{"agent":"live"}"""))!.Value.GetProperty("session").GetProperty("id").GetString()!; // It was made.
        _ = state switch
        {
            "paused" => await AskAsync("POST", $"/api/sessions/{id}/pause"),
            "stopped" => await AskAsync("POST", $"/api/sessions/{id}/stop"),
            "ended" => await AskAsync("DELETE", $"/api/sessions/{id}"),
            _ => null,
        };
        return id;
    }

    private async Task<string?> StatusOfAsync(string id) =>
        (await AskAsync("GET", $"/api/sessions/{id}"))?.GetProperty("session").GetProperty("status").GetString();

    private async Task<JsonElement?> AskAsync(string method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return answer.IsSuccessStatusCode && text.Length > 0 ? JsonElement.Parse(text) : null;
    }
}
