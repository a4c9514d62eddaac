using System.Text.Json;
using System.Text.RegularExpressions;
using Ash.Protocol.Api;

namespace Ash.Cli.Agents;

/// <summary>What is wrong with an agent's files, as far as it can be told without a server.</summary>
internal static partial class AgentCheck
{
    private const string Prompt = "CLAUDE.md";
    private const string McpServers = ".mcp.json";

    /// <summary>Longer files are no texts that somebody writes a secret into.</summary>
    private const int MaxTextBytes = 1024 * 1024;

    private static readonly string[] JsonFiles = [".claude/settings.json", McpServers, "ash.json"];

    /// <summary>Comments and trailing commas are allowed in the one that is ours.</summary>
    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>All that is wrong, in the order of the files.</summary>
    public static IReadOnlyList<Finding> Find(IReadOnlyList<AgentFile> files)
    {
        var findings = new List<Finding>();
        if (files.All(file => file.Path != Prompt))
        {
            findings.Add(new Finding(Prompt, null, "is missing: it is the agent's system prompt", MaySucceed: false));
        }

        foreach (var file in files)
        {
            var content = Convert.FromBase64String(file.Content);
            if (file.Path == Prompt && content.All(static letter => letter <= ' '))
            {
                findings.Add(new Finding(Prompt, null, "is empty: it is the agent's system prompt", MaySucceed: false));
            }

            if (JsonFiles.Contains(file.Path))
            {
                findings.AddRange(CheckJson(file.Path, content));
            }

            if (content.Length <= MaxTextBytes)
            {
                findings.AddRange(FindSecrets(file.Path, System.Text.Encoding.UTF8.GetString(content)));
            }
        }

        return findings;
    }

    private static IEnumerable<Finding> CheckJson(string path, byte[] content)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(content, path == "ash.json" ? Lenient : default);
        }
        catch (JsonException failure)
        {
            return [new Finding(path, (int?)failure.LineNumber + 1, "is not valid JSON", MaySucceed: false)];
        }

        using (document)
        {
            return document.RootElement.ValueKind != JsonValueKind.Object
                ? [new Finding(path, 1, "must be an object", MaySucceed: false)]
                : path == McpServers ? [.. CheckServers(document.RootElement)] : [];
        }
    }

    private static IEnumerable<Finding> CheckServers(JsonElement root)
    {
        if (!root.TryGetProperty("mcpServers", out var servers) || servers.ValueKind != JsonValueKind.Object)
        {
            yield return new Finding(McpServers, null, "must have an object mcpServers", MaySucceed: false);
            yield break;
        }

        foreach (var server in servers.EnumerateObject())
        {
            var (hasCommand, hasUrl) = (Has(server.Value, "command"), Has(server.Value, "url"));
            if (hasCommand == hasUrl)
            {
                yield return new Finding(McpServers, null, $"mcpServers.{server.Name} must have either a command or a url", MaySucceed: false);
            }
        }
    }

    private static bool Has(JsonElement server, string name) =>
        server.ValueKind == JsonValueKind.Object && server.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String;

    private static IEnumerable<Finding> FindSecrets(string path, string text)
    {
        var line = 0;
        foreach (var content in text.Split('\n'))
        {
            line++;
            if (Secret().Match(content) is { Success: true } match)
            {
                var kind = match.Groups.Values.Skip(1).First(group => group.Success).Name;
                yield return new Finding(
                    path, line, $"seems to hold a secret ({kind}); deploy it as a variable (-e, .env) or as a credential", MaySucceed: true);
            }
        }
    }

    [GeneratedRegex("""
        (?<Anthropic>\bsk-ant-[A-Za-z0-9_-]{20,})|(?<OpenAI>\bsk-(?:proj-)?[A-Za-z0-9_-]{32,})|(?<AWS>\b(?:AKIA|ASIA)[0-9A-Z]{16}\b)
        |(?<GitHub>\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,}))|(?<Slack>\bxox[abprs]-[A-Za-z0-9-]{10,})
        |(?<Google>\bAIza[0-9A-Za-z_-]{35})|(?<Ash>\bash_[A-Za-z0-9_-]{32}\b)|(?<PrivateKey>-----BEGIN\ (?:[A-Z]+\ )?PRIVATE\ KEY-----)
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex Secret();
}

/// <summary>Something that is wrong with a file.</summary>
/// <param name="File">Its path in the agent's folder.</param>
/// <param name="Line">From 1; null where no line is to blame.</param>
/// <param name="Message">What is wrong, without the secret itself.</param>
/// <param name="MaySucceed">Whether a deploy with it is possible, if not wise.</param>
internal sealed record Finding(string File, int? Line, string Message, bool MaySucceed)
{
    public override string ToString() => Line is { } line ? $"{File}:{line}: {Message}" : $"{File}: {Message}";
}
