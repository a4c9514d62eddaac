using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ash.Contract.Tests.Checked;

/// <summary>An operation of the API, as its description has it.</summary>
/// <param name="Method">In capitals.</param>
/// <param name="Path">With its parameters in braces.</param>
/// <param name="Json">What is said of it.</param>
public sealed record Operation(string Method, string Path, JsonElement Json)
{
    private readonly Regex _path = new(
        "^" + Regex.Replace(Regex.Escape(Path), @"\\\{(\w+)}", match => match.Groups[1].Value == "path" ? ".*" : "[^/]+") + "$");

    public string Id => Json.GetProperty("operationId").GetString()!; // Each has one.

    public bool IsOpen => !Path.StartsWith("/api/", StringComparison.Ordinal);

    public bool IsInternal => Path.StartsWith("/api/internal/", StringComparison.Ordinal);

    public bool IsOfSession => Path.StartsWith("/api/sessions/{id}", StringComparison.Ordinal);

    /// <summary>The JSON body that it takes; null where it takes none.</summary>
    public JsonElement? Body =>
        Json.TryGetProperty("requestBody", out var body) && body.GetProperty("content").TryGetProperty("application/json", out var json) ? json : null;

    public IEnumerable<JsonElement> Parameters => Json.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray() : [];

    public bool Fits(string path) => _path.IsMatch(path);

    /// <summary>What is said of an answer with this status; null where nothing is.</summary>
    public JsonElement? Answer(int status) => Json.GetProperty("responses").TryGetProperty($"{status}", out var answer) ? answer : null;

    /// <summary>The codes that an error of this status may have.</summary>
    public IReadOnlyList<string> Codes(int status) =>
        Answer(status) is { } answer
        && answer.TryGetProperty("content", out var content)
        && content.TryGetProperty("application/json", out var json)
        && json.TryGetProperty("examples", out var examples)
            ? [.. examples.EnumerateObject().Select(example => example.Name)]
            : [];

    /// <summary>A JSON pointer to something within it.</summary>
    public string PlaceOf(params ReadOnlySpan<string> steps)
    {
        var place = $"/paths/{Escape(Path)}/{Method.ToLowerInvariant()}";
        foreach (var step in steps)
        {
            place += $"/{Escape(step)}";
        }

        return place;
    }

    public override string ToString() => $"{Method} {Path}";

    private static string Escape(string step) =>
        Uri.EscapeDataString(step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
}
