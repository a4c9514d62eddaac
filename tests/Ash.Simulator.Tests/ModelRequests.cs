using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Ash.Simulator.Tests;

/// <summary>Writes conversations as a client sends them.</summary>
internal static class ModelRequests
{
    public static JsonObject User(params JsonNode[] content) => Message("user", content);

    public static JsonObject Assistant(params JsonNode[] content) => Message("assistant", content);

    public static JsonObject Reminder(params JsonNode[] content) => Message("system", content);

    public static JsonObject ToolUse(string id = "toolu_1") =>
        new() { ["type"] = "tool_use", ["id"] = id, ["name"] = "Bash", ["input"] = new JsonObject() };

    public static JsonObject ToolResult(string content, string id = "toolu_1") =>
        new() { ["type"] = "tool_result", ["tool_use_id"] = id, ["content"] = content };

    public static JsonObject Text(string text) => new() { ["type"] = "text", ["text"] = text };

    public static JsonObject Body(params JsonObject[] messages) =>
        new() { ["model"] = "claude-test", ["max_tokens"] = 100, ["messages"] = new JsonArray([.. messages]) };

    internal static ModelRequest Read(JsonObject body, params (string Name, string Value)[] headers)
    {
        var dictionary = new HeaderDictionary();

        foreach (var (name, value) in headers)
        {
            dictionary[name] = value;
        }

        return new(JsonSerializer.SerializeToElement(body), dictionary, continuations: []);
    }

    // A lone string is a message's whole content, as the API allows.
    private static JsonObject Message(string role, JsonNode[] content) => new()
    {
        ["role"] = role,
        ["content"] = content is [JsonValue only]
            ? only
            : new JsonArray([.. content.Select(block => block is JsonValue text ? Text(text.GetValue<string>()) : block)]),
    };
}
