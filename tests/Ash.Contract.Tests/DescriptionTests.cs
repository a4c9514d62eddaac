using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Contract.Tests.Checked;
using Ash.Testing;

namespace Ash.Contract.Tests;

/// <summary>The API's description: complete, in two forms, with a page that needs nothing from elsewhere, and as committed.</summary>
public sealed class DescriptionTests(ContractServer server) : ContractTests(server)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string Committed = Path.Combine(TestPaths.Root, "docs", "openapi.json");

    [Fact(Timeout = Limit)]
    public void Description_IsOpenApi31_WithOneNameForEachOperation()
    {
        var document = Server.Description.Json;

        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal("Ash API", document.GetProperty("info").GetProperty("title").GetString());
        Assert.Equal("bearer", document.GetProperty("components").GetProperty("securitySchemes").GetProperty("apiKey").GetProperty("scheme").GetString());
        Assert.Equal(Server.Description.Operations.Count, Server.Description.Operations.Select(operation => operation.Id).Distinct().Count());
        AssertReferencesResolve(document, document);
    }

    [Fact(Timeout = Limit)]
    public void EveryOperation_SaysWhatItDoes_WhatItTakes_AndWhoMayAsk()
    {
        foreach (var operation in Server.Description.Operations)
        {
            Assert.Equal((operation.Id, operation.IsOpen ? 0 : 1), (operation.Id, operation.Json.TryGetProperty("security", out var security) ? security.GetArrayLength() : 0));
            Assert.NotEmpty(operation.Json.GetProperty("summary").GetString()!);
            Assert.Single(operation.Json.GetProperty("tags").EnumerateArray());
            foreach (var parameter in operation.Parameters)
            {
                Assert.True(parameter.TryGetProperty("description", out _), $"{operation}: {parameter.GetProperty("name").GetString()} is not described");
            }

            if (operation.Json.TryGetProperty("requestBody", out var body))
            {
                Assert.True(body.TryGetProperty("description", out _), $"{operation}: its body is not described");
                AssertExample(operation, operation.Body!.Value, "requestBody", "content", "application/json"); // All bodies are.
            }
        }
    }

    [Fact(Timeout = Limit)]
    public void EveryAnswer_HasAnExampleOfItsForm_AndEveryErrorItsCodes()
    {
        foreach (var operation in Server.Description.Operations)
        {
            Assert.True(operation.IsOpen || operation.Codes(401).Contains("unauthorized"), $"{operation} has no 401");
            foreach (var answer in operation.Json.GetProperty("responses").EnumerateObject())
            {
                if (!answer.Value.TryGetProperty("content", out var content) || !content.TryGetProperty("application/json", out var json))
                {
                    continue;
                }

                if (!json.GetProperty("schema").TryGetProperty("$ref", out var reference) || reference.GetString() != "#/components/schemas/ApiError")
                {
                    AssertExample(operation, json, "responses", answer.Name, "content", "application/json");
                    continue;
                }

                Assert.True(json.TryGetProperty("examples", out var examples) && examples.EnumerateObject().Any(), $"{operation}: {answer.Name} has no codes");
                foreach (var example in examples.EnumerateObject())
                {
                    var error = example.Value.GetProperty("value");
                    Assert.Equal((example.Name, answer.Name), (error.GetProperty("code").GetString(), $"{error.GetProperty("statusCode").GetInt32()}"));
                    Assert.Empty(Server.Description.Violations(error, "/components/schemas/ApiError"));
                }
            }
        }
    }

    [Fact(Timeout = Limit)]
    public void Streams_AreSaidToBe()
    {
        foreach (var id in new[] { "SendMessage", "FollowSession" })
        {
            var answer = Server.Description.Operations.Single(operation => operation.Id == id).Answer(200);
            Assert.True(answer!.Value.GetProperty("content").TryGetProperty("text/event-stream", out _), id);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Description_IsOfferedAsYamlToo()
    {
        using var anyone = Server.Connect(null);
        using var answer = await anyone.OpenAsync("GET", "/docs/yaml");
        var yaml = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal("application/yaml", answer.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("openapi: '3.1", yaml.Replace('"', '\''), StringComparison.Ordinal);
        Assert.Contains("/api/sessions/{id}/messages", yaml, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task Page_TakesNothingFromElsewhere()
    {
        using var anyone = Server.Connect(null);
        using var answer = await anyone.OpenAsync("GET", "/docs");
        var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        using var script = await anyone.OpenAsync("GET", "/docs/scalar.js");

        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("\"//", page, StringComparison.Ordinal);
        Assert.Contains("scalar.js", page, StringComparison.Ordinal);
        Assert.Equal("text/javascript", script.Content.Headers.ContentType?.MediaType);
    }

    [Fact(Timeout = Limit)]
    public async Task CommittedDescription_IsTheServedOne()
    {
        Assert.True(Server.Own is not null);
        var served = JsonNode.Parse(Server.Description.Json.GetRawText())!.ToJsonString(Indented) + "\n"; // An object.
        if (Environment.GetEnvironmentVariable("ASH_TEST_WRITE_OPENAPI") is not null)
        {
            await File.WriteAllTextAsync(Committed, served);
        }

        Assert.True(
            WithoutVersion(served) == WithoutVersion(await File.ReadAllTextAsync(Committed)),
            "docs/openapi.json is not what the server says of itself; rewrite it: "
            + "ASH_TEST_WRITE_OPENAPI=1 artifacts/bin/Ash.Contract.Tests/release/Ash.Contract.Tests --filter-class '*DescriptionTests'");
    }

    private static string WithoutVersion(string json)
    {
        var document = JsonNode.Parse(json)!; // An object.
        document["info"]!["version"] = "";
        return document.ToJsonString();
    }

    private void AssertExample(Operation operation, JsonElement json, params string[] place)
    {
        Assert.True(json.TryGetProperty("example", out var example), $"{operation}: no example at {string.Join('/', place)}");
        var violations = Server.Description.Violations(example, operation.PlaceOf([.. place, "schema"]));
        Assert.True(violations.Count == 0, $"{operation}: the example at {string.Join('/', place)}: {string.Join("; ", violations)}");
    }

    private static void AssertReferencesResolve(JsonElement document, JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            Assert.All(element.EnumerateArray(), item => AssertReferencesResolve(document, item));
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in element.EnumerateObject())
            {
                if (member.Name == "$ref")
                {
                    var target = document;
                    foreach (var step in member.Value.GetString()!.Split('/').Skip(1))
                    {
                        Assert.True(target.TryGetProperty(step, out target), member.Value.GetString());
                    }
                }
                else
                {
                    AssertReferencesResolve(document, member.Value);
                }
            }
        }
    }
}
