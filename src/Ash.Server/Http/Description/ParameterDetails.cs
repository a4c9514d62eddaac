using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Ash.Server.Http.Description;

/// <summary>
/// What parameters may be. Handlers take all as text, so that they can say themselves what is wrong with one; here stands what
/// text it is. Equal names mean equal things on all routes, so that a new route needs no word here.
/// </summary>
internal static class ParameterDetails
{
    public static void Complete(string path, OpenApiOperation operation)
    {
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
        {
            parameter.Description ??= DescriptionOf(path, parameter.Name!); // Each has a name.
            if (parameter.In != ParameterLocation.Header && SchemaOf(path, parameter.Name!) is { } schema)
            {
                parameter.Schema = schema;
            }
        }
    }

    private static string? DescriptionOf(string path, string name) => name switch
    {
        "id" when path.StartsWith("/api/sessions", StringComparison.Ordinal) => "The session's id.",
        "id" when path.StartsWith("/api/attachments", StringComparison.Ordinal) => "The attachment's id.",
        "id" when path.StartsWith("/api/credentials", StringComparison.Ordinal) => "The credential's id.",
        "id" when path.StartsWith("/api/api-keys", StringComparison.Ordinal) => "The key's id.",
        "name" => "The agent's name.",
        "version" => "The version's number, or its id.",
        "turnId" => "The turn's id.",
        _ => null,
    };

    private static OpenApiSchema? SchemaOf(string path, string name) => name switch
    {
        "id" or "turnId" or "turn" => new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" },
        "name" => new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^[a-zA-Z0-9_-]{1,255}$" },
        "limit" => Integer(min: 1, max: 1000),
        "offset" => Integer(min: 0),
        "after" when path.EndsWith("/stream", StringComparison.Ordinal) =>
            new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^(latest|[0-9]+(\\.[0-9]+)?)$" },
        "after" when path.EndsWith("/logs", StringComparison.Ordinal) => Integer(min: -1),
        "after" => Integer(min: 0),
        "includeTotal" or "includeHidden" or "partial" or "lifecycle" or "purge" => new OpenApiSchema { Type = JsonSchemaType.Boolean },
        "format" => Words("json", "raw"),
        "until" => Words("idle"),
        "status" => Words("starting", "active", "paused", "stopped", "error", "ended"),
        _ => null,
    };

    private static OpenApiSchema Integer(int min, int? max = null) => new()
    {
        Type = JsonSchemaType.Integer,
        Minimum = min.ToString(CultureInfo.InvariantCulture),
        Maximum = max?.ToString(CultureInfo.InvariantCulture),
    };

    private static OpenApiSchema Words(params string[] words) => new()
    {
        Type = JsonSchemaType.String,
        Enum = [.. words.Select(word => (JsonNode)word)],
    };
}
