using System.Globalization;
using System.Text.Json;
using Ash.Contract.Tests.Checked;

namespace Ash.Contract.Tests.States;

/// <summary>Calls an operation of a session that is in some state, and looks whether it did what the table says.</summary>
/// <param name="api">Of the session's server.</param>
internal sealed class StateCell(Api api)
{
    /// <summary>The smallest archive: two empty blocks.</summary>
    private const string EmptyBundle = "H4sIAAAAAAAC/2NgGAWjYBSMVAAALq+17wAEAAA=";

    /// <returns>Whether the session is as it was.</returns>
    public async Task<bool> CheckAsync(string operation, StatefulSession session, string outcome)
    {
        var (method, rest) = operation.Split(' ') is [var verb, var path] ? (verb, path) : (operation, "");
        var address = session.Address + rest.Replace("{turnId}", $"{Guid.Empty}", StringComparison.Ordinal).Replace("{path}", FileOf(method), StringComparison.Ordinal);
        var (status, text) = (int.Parse(outcome[..3], CultureInfo.InvariantCulture), outcome[4..].Replace("=", session.Status, StringComparison.Ordinal));
        if (operation == "DELETE /files/{path}" && status == 200)
        {
            await AskAsync("POST", $"{session.Address}/files");
        }

        var answer = rest == "/stream" ? await AskHeadAsync(address) : await AskAsync(method, address, session);

        if (status < 400)
        {
            Assert.True(answer.Status == status, $"{answer.Status} instead of {status}: {answer.Text}");
            Assert.Equal(text, await StatusOfAsync(session.Address));
            return text == session.Status && (session.State == text || !MovesOn(operation));
        }

        answer.IsError(status, status switch { 404 => "turn_not_found", 410 => "session_ended", _ => "session_state" }, text);
        Assert.Equal(session.Status, await StatusOfAsync(session.Address));
        return true;
    }

    public async Task<string> StatusOfAsync(string session) =>
        (await api.GetAsync(session)).Is(200).GetProperty("session").GetProperty("status").GetString()!; // Every session has one.

    /// <summary>What works, or ends work, may leave the status and still change what there is.</summary>
    private static bool MovesOn(string operation) => operation is "POST /messages" or "POST /interrupt";

    private static string FileOf(string method) => method == "GET" ? "CLAUDE.md" : "made.txt";

    private async Task<Answer> AskAsync(string method, string address, StatefulSession? session = null)
    {
        var body = (method, address.Split('/')[^1]) switch
        {
            ("POST", "messages") => """{"content":"hello"}""",
            ("POST", "exec") => """{"command":"true"}""",
            ("POST", "files") => """{"files":[{"path":"made.txt","content":"aGVsbG8="}]}""",
            ("POST", "attachments") => """{"filename":"a.txt","content":"aGVsbG8="}""",
            ("POST", "workspace") => $$"""{"bundle":"{{EmptyBundle}}"}""",
            ("PATCH", _) => """{"model":"claude-x"}""",
            _ => null,
        };
        var answer = api.SendAsync(method, address, body);
        if (session?.Release is { } release && address.Split('/')[^1] is "messages" or "exec" or "resume")
        {
            if (method == "POST" && address.EndsWith("/messages", StringComparison.Ordinal))
            {
                // It waits, in the state that the session was in.
                await WaitForMessageAsync($"{session.Address}/messages", "hello");
                Assert.Equal(session.Status, await StatusOfAsync(session.Address));
                Assert.False(answer.IsCompleted);
            }

            if (method == "POST" && (session.State != "busy" || !address.EndsWith("/exec", StringComparison.Ordinal)))
            {
                release();
            }
        }

        return await answer;
    }

    private async Task<Answer> AskHeadAsync(string address)
    {
        using var response = await api.OpenAsync("GET", address);
        return new Answer((int)response.StatusCode, [], response.Content.Headers.ContentType?.MediaType, response.Headers, response.Content.Headers);
    }

    private async Task WaitForMessageAsync(string messages, string text)
    {
        while (!(await api.GetAsync($"{messages}?limit=1000")).Is(200).GetProperty("messages").EnumerateArray()
            .Any(message => JsonElement.Parse(message.GetProperty("content").GetString()!) is var content
                && content.GetProperty("content").ValueKind == JsonValueKind.String
                && content.GetProperty("content").GetString() == text))
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}

/// <summary>A session in a state.</summary>
/// <param name="Address">Its address.</param>
/// <param name="State">As the table has it.</param>
/// <param name="Release">Lets go what holds it in that state; null where nothing does.</param>
internal sealed record StatefulSession(string Address, string State, Action? Release = null)
{
    /// <summary>As clients see it.</summary>
    public string Status => State switch { "busy" => "active", "evicted" => "paused", _ => State };
}
