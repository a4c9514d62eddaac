using System.Text.Json;
using Ash.Server.Http;

namespace Ash.Server.Credentials;

/// <summary>The secret of a <c>bedrock</c> credential: JSON with the parts of an AWS access key (contract 1.10, 3.3).</summary>
internal sealed class BedrockSecret
{
    private BedrockSecret(string accessKeyId, string secretAccessKey, string region, string? sessionToken)
    {
        var environment = new Dictionary<string, string>
        {
            ["CLAUDE_CODE_USE_BEDROCK"] = "1",
            ["AWS_ACCESS_KEY_ID"] = accessKeyId,
            ["AWS_SECRET_ACCESS_KEY"] = secretAccessKey,
            ["AWS_REGION"] = region,
        };
        if (sessionToken is not null)
        {
            environment["AWS_SESSION_TOKEN"] = sessionToken;
        }

        Environment = environment;
    }

    /// <summary>As the CLI and AWS' own programs look for it.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Reads it; <paramref name="problem"/> says why where there is nothing to read.</summary>
    public static BedrockSecret? TryRead(string text, out Problem? problem)
    {
        problem = Problems.Invalid("Bedrock credential must be a JSON object with accessKeyId, secretAccessKey, and region");
        try
        {
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            if (Part(json, "accessKeyId") is { } id
                && Part(json, "secretAccessKey") is { } secret
                && Part(json, "region") is { } region)
            {
                problem = null;
                return new BedrockSecret(id, secret, region, Part(json, "sessionToken"));
            }

            problem = Problems.Invalid("Bedrock credential requires accessKeyId, secretAccessKey, and region");
            return null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // The reader's own message would repeat a part of the secret.
            return null;
        }
    }

    private static string? Part(JsonDocument json, string name) =>
        json.RootElement.TryGetProperty(name, out var part) && part.ValueKind == JsonValueKind.String
            && part.GetString() is { Length: > 0 } text && !text.Contains('\0')
                ? text
                : null;
}
