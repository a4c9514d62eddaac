using System.Text.Json;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>The API's description: one document in two forms, and a page that needs nothing from elsewhere.</summary>
[Collection(typeof(ApiTests))]
public sealed class DescriptionTests(ApiServer fixture)
{
    private AshServer Server => fixture.Server;

    [Fact(Timeout = 120_000)]
    public async Task Description_IsOpenApi31_AndCompleteForEveryOperation()
    {
        var document = (await Server.AskAsync("GET", "/docs/json", headers: ("Authorization", ""))).IsSuccess();

        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal("Ash API", document.GetProperty("info").GetProperty("title").GetString());
        Assert.Equal("bearer", document.GetProperty("components").GetProperty("securitySchemes").GetProperty("apiKey").GetProperty("scheme").GetString());
        var operations = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject(), (path, operation) => (Path: path.Name, Name: $"{operation.Name} {path.Name}", operation.Value))
            .ToList();
        Assert.Equal(operations.Count, operations.Select(operation => operation.Value.GetProperty("operationId").GetString()).Distinct().Count());
        foreach (var (path, name, operation) in operations)
        {
            var isOpen = path.StartsWith("/health", StringComparison.Ordinal) || path == "/metrics";
            Assert.True(operation.TryGetProperty("security", out var security) && security.GetArrayLength() == 1 != isOpen || isOpen, name);
            Assert.NotEmpty(operation.GetProperty("summary").GetString()!);
            Assert.Single(operation.GetProperty("tags").EnumerateArray());
            Assert.True(
                !operation.TryGetProperty("requestBody", out var body)
                || (body.TryGetProperty("description", out _) && body.GetProperty("content").TryGetProperty("application/json", out _)),
                name);
            var answers = operation.GetProperty("responses");
            Assert.True(isOpen || answers.GetProperty("401").GetProperty("content").GetProperty("application/json").TryGetProperty("schema", out _), name);
        }

        var sent = document.GetProperty("paths").GetProperty("/api/sessions/{id}/messages").GetProperty("post");
        var contents = sent.GetProperty("responses").GetProperty("200").GetProperty("content");
        Assert.True(contents.TryGetProperty("text/event-stream", out _));
        Assert.True(contents.TryGetProperty("application/json", out _));
        Assert.True(document.GetProperty("paths").GetProperty("/api/sessions/{id}/stream").GetProperty("get").GetProperty("responses")
            .GetProperty("200").GetProperty("content").TryGetProperty("text/event-stream", out _));
        AssertReferencesResolve(document, document);
    }

    [Fact(Timeout = 120_000)]
    public async Task Description_IsOfferedAsYamlToo()
    {
        var yaml = await Server.AskAsync("GET", "/docs/yaml", headers: ("Authorization", ""));

        Assert.Equal("application/yaml", yaml.MediaType);
        Assert.StartsWith("openapi: '3.1", yaml.Body.Replace('"', '\''), StringComparison.Ordinal);
        Assert.Contains("/api/sessions/{id}/messages", yaml.Body, StringComparison.Ordinal);
        Assert.Contains("text/event-stream", yaml.Body, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Page_TakesNothingFromElsewhere()
    {
        var page = await Server.AskAsync("GET", "/docs", headers: ("Authorization", ""));

        Assert.Equal(System.Net.HttpStatusCode.OK, page.Status);
        Assert.Equal("text/html", page.MediaType);
        Assert.DoesNotContain("https://", page.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("\"//", page.Body, StringComparison.Ordinal);
        Assert.Contains("scalar.js", page.Body, StringComparison.Ordinal);
        Assert.Equal("text/javascript", (await Server.AskAsync("GET", "/docs/scalar.js")).MediaType);
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
