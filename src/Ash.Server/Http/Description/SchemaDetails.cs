using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Protocol.Api;
using Microsoft.OpenApi;

namespace Ash.Server.Http.Description;

/// <summary>What the schemas of bodies say beyond what the types show: the words and forms that a text may have.</summary>
internal static class SchemaDetails
{
    private static readonly string[] Statuses = ["starting", "active", "paused", "stopped", "error", "ended"];

    public static void Complete(OpenApiSchema schema, Type type)
    {
        if (type == typeof(JsonElement))
        {
            schema.Description ??= "Any JSON.";
        }
        else if (type == typeof(SessionInfo))
        {
            Enumerate(schema, "status", Statuses);
        }
        else if (type == typeof(TurnInfo))
        {
            Enumerate(schema, "status", ["queued", "running", "ended"]);
        }
        else if (type == typeof(MessageInfo))
        {
            Enumerate(schema, "role", ["user", "assistant"]);
        }
        else if (type == typeof(SessionEventInfo))
        {
            Enumerate(schema, "type", ["lifecycle", "text", "tool_start", "reasoning", "tool_result", "turn_complete", "error"]);
        }
        else if (type == typeof(FileListing))
        {
            Enumerate(schema, "source", ["sandbox", "snapshot"]);
        }
        else if (type == typeof(CredentialInfo) || type == typeof(ListedCredential))
        {
            Enumerate(schema, "type", ["anthropic", "openai", "bedrock", "custom"]);
        }
        else if (type == typeof(SendMessageRequest))
        {
            DescribeContent(schema);
        }
    }

    private static void Enumerate(OpenApiSchema schema, string property, string[] words)
    {
        if (schema.Properties?.TryGetValue(property, out var found) == true && found is OpenApiSchema text)
        {
            text.Enum = [.. words.Select(word => (JsonNode)word)];
        }
    }

    private static void DescribeContent(OpenApiSchema schema)
    {
        var block = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { "type" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["type"] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["text", "image", "document"] },
                ["text"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "Of a text block." },
                ["source"] = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Description = "Of an image or a document: {\"type\":\"base64\",\"media_type\":…,\"data\":…}.",
                },
            },
        };
        schema.Properties!["content"] = new OpenApiSchema // The request has one.
        {
            Description = "A string of at most 500,000 characters, or at most 20 blocks of type `text`, `image`, `document`.",
            OneOf =
            [
                new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = 500_000 },
                new OpenApiSchema { Type = JsonSchemaType.Array, MinItems = 1, MaxItems = 20, Items = block },
            ],
        };
    }
}
