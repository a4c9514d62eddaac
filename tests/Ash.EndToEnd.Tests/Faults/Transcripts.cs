using System.Text.Json.Nodes;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>Writes what the CLI would have written, had it lived a moment longer.</summary>
internal static class Transcripts
{
    /// <summary>A user's text after the last message of a transcript.</summary>
    public static string NextUserLine(IEnumerable<string> lines, Guid uuid, string text)
    {
        var messages = lines.Select(line => JsonNode.Parse(line)!.AsObject()).Where(line => line.ContainsKey("uuid")).ToList();
        var next = messages.Last(line => (string?)line["type"] == "user").DeepClone().AsObject();
        next["parentUuid"] = (string?)messages[^1]["uuid"];
        next["uuid"] = uuid.ToString();
        next["message"] = new JsonObject { ["role"] = "user", ["content"] = text };
        return next.ToJsonString();
    }
}
