using System.Text;
using System.Text.Json.Nodes;
using Ash.Contract.Tests.Checked;

namespace Ash.Contract.Tests.Fuzz;

/// <summary>Makes requests of what the server describes: right ones, with some parts of them made wrong.</summary>
/// <param name="random">Decides all; the same seed gives the same requests, but for the ids in them.</param>
/// <param name="description">What there is.</param>
/// <param name="live">Ids for them.</param>
/// <param name="key">A key that is let in.</param>
/// <param name="secret">The internal secret.</param>
internal sealed class FuzzGenerator(Random random, ApiDescription description, LiveObjects live, string key, string secret)
{
    /// <summary>Stands in a tree for text that no tree can hold.</summary>
    private const string Place = "@@junk@@";

    public FuzzRequest Next()
    {
        var operation = Junk.Pick(random, description.Operations);
        var isAtHome = !Chance(12);
        var path = PathOf(operation, isAtHome);
        var headers = new List<(string Name, string Value)>();
        if (!Chance(12))
        {
            headers.Add(("Authorization", $"Bearer {(operation.IsInternal ? secret : key)}"));
        }

        for (var i = random.Next(3); i > 0; i--)
        {
            headers.Add(Junk.Header(random));
        }

        var body = BodyOf(operation);
        if (body is not null)
        {
            headers.Add(("Content-Type", Chance(10) ? Junk.MediaType(random) : "application/json"));
        }

        var method = isAtHome ? operation.Method : Junk.Pick(random, ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW", operation.Method]);
        return new FuzzRequest(operation, method, path, body, headers, isAtHome);
    }

    private bool Chance(int percent) => random.Next(100) < percent;

    private string PathOf(Operation operation, bool isAtHome)
    {
        var path = new StringBuilder();
        foreach (var step in operation.Path[1..].Split('/'))
        {
            path.Append('/').Append(step.StartsWith('{') ? ParameterOf(operation, step.Trim('{', '}')) : step);
        }

        if (!isAtHome)
        {
            path.Append(Junk.Pick(random, ["", "/", "//", "/..", "/%2e%2e/", ";x", "/%00", "%"]));
        }

        var separator = '?';
        foreach (var parameter in operation.Parameters.Where(parameter => parameter.GetProperty("in").GetString() == "query"))
        {
            var name = parameter.GetProperty("name").GetString()!; // Each has one.
            if (name == "until" || Chance(50))
            {
                path.Append(separator).Append(name).Append('=').Append(name == "until" && Chance(70) ? "idle" : Chance(50) ? Junk.Text(random) : RightValueOf(parameter));
                separator = '&';
            }
        }

        return path.ToString();
    }

    private string RightValueOf(System.Text.Json.JsonElement parameter) => parameter.GetProperty("name").GetString() switch
    {
        "agent" => live.Agent,
        "turn" => live.Turn,
        "status" => "active",
        "format" => "raw",
        "type" => "text",
        "after" => "0",
        "limit" => "10",
        "offset" => "1",
        _ => Chance(50) ? "true" : "false",
    };

    private string ParameterOf(Operation operation, string name)
    {
        // A path that is empty, or leaves its place, belongs to another operation.
        if (Chance(15))
        {
            var junk = Junk.Text(random);
            return junk.Trim() is "" or "." or ".." or "%2e%2e" ? "x" : junk;
        }

        return (operation.Path.Split('/')[2], name) switch
        {
            (_, "name") => Chance(30) ? "nobody" : live.Agent,
            (_, "version") => "1",
            (_, "turnId") => live.Turn,
            (_, "path") => Junk.Pick(random, ["CLAUDE.md", "made.txt", "attachments", "a%20b"]),
            ("attachments", _) => live.Attachment,
            ("credentials", _) => live.Credential,
            ("api-keys", _) => live.Key,
            _ => Junk.Pick(random, live.Sessions),
        };
    }

    private byte[]? BodyOf(Operation operation)
    {
        if (operation.Body is not { } described)
        {
            return Chance(10) ? Encoding.UTF8.GetBytes(Junk.Value(random)) : null;
        }

        if (Chance(8))
        {
            return Junk.Bytes(random);
        }

        var body = JsonNode.Parse(described.GetProperty("example").GetRawText())!; // An object.
        MakeRight(body.AsObject());
        var junk = Junk.Value(random);
        for (var i = random.Next(3); i > 0; i--)
        {
            Mutate(body.AsObject(), operation);
        }

        var text = body.ToJsonString().Replace($"\"{Place}\"", junk, StringComparison.Ordinal);
        return random.Next(40) switch
        {
            0 => Encoding.UTF8.GetBytes(text[..random.Next(text.Length)]),
            1 => Encoding.UTF8.GetBytes($"[{text}]"),
            2 => Encoding.UTF8.GetBytes(junk),
            3 => Encoding.UTF8.GetBytes(text + text),
            4 => [0xef, 0xbb, 0xbf, .. Encoding.UTF8.GetBytes(text)],
            5 => Encoding.Unicode.GetBytes(text),
            6 => Encoding.UTF8.GetBytes("{" + text[1..^1] + "," + text[1..]),
            7 when Chance(10) => Encoding.UTF8.GetBytes($$"""{"x":"{{new string('x', 6_000_000)}}"}"""),
            8 => [.. Encoding.UTF8.GetBytes(text[..^1]), 0xff, 0xc0, .. "}"u8],
            _ => Encoding.UTF8.GetBytes(text),
        };
    }

    /// <summary>Puts live names in the place of the example's.</summary>
    private void MakeRight(JsonObject body)
    {
        foreach (var (field, value) in new[] { ("agent", live.Agent), ("name", $"made-{random.Next(20)}"), ("content", "NODELAY") })
        {
            if (body[field] is JsonValue)
            {
                body[field] = field == "content" && body.ContainsKey("filename") ? "eA==" : value;
            }
        }

        body.Remove("model");
    }

    private void Mutate(JsonObject body, Operation operation)
    {
        var names = body.Select(field => field.Key).ToList();
        var schema = operation.Body!.Value.GetProperty("schema"); // The body is of it.
        switch (random.Next(5))
        {
            case 0 when names.Count > 0:
                body.Remove(Junk.Pick(random, names));
                break;
            case 1 when names.Count > 0:
                body[Junk.Pick(random, names)] = Place;
                break;
            case 2:
                body[Junk.Pick(random, ["typo", "__proto__", "", "\0", "constructor"])] = Place;
                break;
            case 3 when names.Select(name => body[name]).OfType<JsonArray>().FirstOrDefault() is { Count: > 0 } list && list[0] is JsonObject first && first.Count > 0:
                first[Junk.Pick(random, [.. first.Select(field => field.Key)])] = Place;
                break;
            default:
                var known = description.Resolve(schema).TryGetProperty("properties", out var properties) ? properties.EnumerateObject().Select(p => p.Name).ToList() : [];
                if (known.Count > 0)
                {
                    body[Junk.Pick(random, known)] = Place;
                }

                break;
        }
    }
}
