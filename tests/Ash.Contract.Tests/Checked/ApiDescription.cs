using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using Json.Schema;

namespace Ash.Contract.Tests.Checked;

/// <summary>What a server says of itself at <c>/docs/json</c>.</summary>
public sealed class ApiDescription
{
    private static readonly Uri Address = new("https://ash.invalid/openapi.json");

    private static readonly EvaluationOptions Strict = new() { OutputFormat = OutputFormat.List, RequireFormatValidation = true };

    private readonly BuildOptions _build = new() { SchemaRegistry = new SchemaRegistry() };
    private readonly ConcurrentDictionary<string, Lazy<JsonSchema>> _schemas = new();

    public ApiDescription(string json)
    {
        Json = JsonElement.Parse(json);
        _build.SchemaRegistry.Register(new JsonElementBaseDocument(Json, Address));
        Operations =
        [
            .. from path in Json.GetProperty("paths").EnumerateObject()
               from verb in path.Value.EnumerateObject()
               select new Operation(verb.Name.ToUpperInvariant(), path.Name, verb.Value),
        ];
    }

    public JsonElement Json { get; }

    public IReadOnlyList<Operation> Operations { get; }

    /// <summary>The operation that a request is for; null where there is none. A HEAD is a GET.</summary>
    public Operation? Find(string method, string pathAndQuery)
    {
        var path = pathAndQuery.Split('?')[0];
        var verb = method == "HEAD" ? "GET" : method;

        // The one with the most literal text: /files before /files/{path}.
        return Operations.Where(operation => operation.Method == verb && operation.Fits(path))
            .MaxBy(operation => Regex.Replace(operation.Path, @"\{[^}]*\}", "").Length);
    }

    /// <summary>The schema that another refers to, or itself.</summary>
    public JsonElement Resolve(JsonElement schema) => schema.TryGetProperty("$ref", out var reference)
        ? reference.GetString()!.Split('/').Skip(1).Aggregate(Json, (place, step) => place.GetProperty(step)) // Text, as all of them.
        : schema;

    /// <summary>What keeps a value from being of the form that a place in the description gives; empty where nothing does.</summary>
    /// <param name="value">The value.</param>
    /// <param name="place">The schema's, as a JSON pointer.</param>
    public IReadOnlyList<string> Violations(JsonElement value, string place)
    {
        var schema = _schemas.GetOrAdd(place, _ => new Lazy<JsonSchema>(() => Build(place))).Value;
        var results = schema.Evaluate(value, Strict);
        return results.IsValid
            ? []
            :
            [
                .. (results.Details ?? []).Where(detail => detail.Errors is not null)
                    .SelectMany(detail => detail.Errors!, (detail, error) => $"{detail.InstanceLocation}: {error.Value}"),
                "(not of the form described)",
            ];
    }

    /// <summary>One at a time: they share what they refer to.</summary>
    private JsonSchema Build(string place)
    {
        lock (_build)
        {
            return new JsonSchemaBuilder(_build).Ref($"{Address}#{place}").Build();
        }
    }
}
