using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Access;

/// <summary>Every operation that the server describes, with a body that fits it.</summary>
internal sealed class OpenApiOperations
{
    private readonly JsonElement _document;

    private OpenApiOperations(JsonElement document) => _document = document;

    public static async Task<IReadOnlyList<Operation>> ReadAsync(InMemoryServer server)
    {
        var document = (await server.Http.AskAsync("GET", "/docs/json")).Body;
        var reader = new OpenApiOperations(document);
        return
        [
            .. from path in document.GetProperty("paths").EnumerateObject()
               from verb in path.Value.EnumerateObject()
               select new Operation(verb.Name.ToUpperInvariant(), path.Name, reader.BodyOf(verb.Value)),
        ];
    }

    private string? BodyOf(JsonElement operation) =>
        operation.TryGetProperty("requestBody", out var body)
        && body.GetProperty("content").TryGetProperty("application/json", out var json)
            ? Example(json.GetProperty("schema"), "").ToJsonString()
            : null;

    private JsonNode Example(JsonElement schema, string name)
    {
        if (schema.TryGetProperty("$ref", out var reference))
        {
            var target = reference.GetString()!.Split('/').Skip(1).Aggregate(_document, (element, step) => element.GetProperty(step));
            return Example(target, name);
        }

        if (!schema.TryGetProperty("type", out var type))
        {
            return "x";
        }

        var word = type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().First(t => t.GetString() != "null").GetString() : type.GetString();
        return word switch
        {
            "object" => Object(schema),
            "array" => new JsonArray(),
            "integer" or "number" => 1,
            "boolean" => false,
            _ => name == "type" ? "openai" : "x",
        };
    }

    private JsonObject Object(JsonElement schema)
    {
        var example = new JsonObject();
        if (schema.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray().Select(name => name.GetString()!))
            {
                example[name] = Example(schema.GetProperty("properties").GetProperty(name), name);
            }
        }

        return example;
    }
}

/// <param name="Method">In capitals.</param>
/// <param name="Path">With its parameters in braces.</param>
/// <param name="Body">JSON with what is required; null where there is no body.</param>
internal sealed record Operation(string Method, string Path, string? Body)
{
    public override string ToString() => $"{Method} {Path}";
}
