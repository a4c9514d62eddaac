using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Ash.Simulator.Conversations;
using Ash.Simulator.Scripts;
using Microsoft.AspNetCore.Http;

namespace Ash.Simulator;

/// <summary>A call of the Messages API, read as far as a script may ask about it.</summary>
internal sealed class ModelRequest
{
    private static readonly string[] Counted = ["system", "tools", "messages"];

    private readonly IHeaderDictionary _headers;
    private readonly JsonElement _body;

    public ModelRequest(JsonElement body, IHeaderDictionary headers, IReadOnlyList<ScriptPattern> continuations)
    {
        _body = body;
        _headers = headers;
        Conversation = Conversation.Read(body, continuations);
        Model = MessageJson.Text(body, "model") ?? "";
        Stream = body.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True;
        Tools = [.. MessageJson.Items(body, "tools").Select(tool => MessageJson.Text(tool, "name")).OfType<string>()];
    }

    public Conversation Conversation { get; }

    public string Model { get; }

    public bool Stream { get; }

    public IReadOnlyList<string> Tools { get; }

    public string SystemText => string.Join('\n', MessageJson.Of(_body, "system").Select(block => block.Text));

    public string SessionId => Header("x-claude-code-session-id");

    /// <summary>A guess: a quarter of the characters.</summary>
    public int InputTokens => CountTokens(_body);

    public string Header(string name) => _headers[name].ToString();

    public static int CountTokens(JsonElement body)
    {
        var characters = Counted
            .Sum(name => body.TryGetProperty(name, out var part) ? Encoding.UTF8.GetCharCount(JsonMarshal.GetRawUtf8Value(part)) : 0);

        return TokensOf(characters);
    }

    public static int TokensOf(int characters) => Math.Max(1, (characters + 3) / 4);
}
