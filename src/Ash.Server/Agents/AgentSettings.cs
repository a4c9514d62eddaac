using System.Text.Json;
using Ash.Server.Sessions;
using SessionOptions = Ash.Server.Sessions.SessionOptions;

namespace Ash.Server.Agents;

/// <summary>What an agent's <c>ash.json</c> says (design 4.4). A field that this release does not enforce is refused.</summary>
internal sealed record AgentSettings
{
    /// <summary>Whether <c>CLAUDE.md</c> is added to the CLI's own prompt instead of taking its place.</summary>
    public bool AppendsSystemPrompt { get; init; }

    /// <summary>Whether <c>CLAUDE.md</c>, <c>.claude</c> and <c>.mcp.json</c> are out of the agent's reach.</summary>
    public bool ReadOnlyContent { get; init; } = true;

    public string? PermissionMode { get; init; }

    /// <summary>What becomes of a message that says nothing of it, while a turn runs.</summary>
    public BusyPolicy OnBusy { get; init; }

    public AgentResources Resources { get; init; } = new();

    /// <summary>Reads the file.</summary>
    /// <exception cref="AgentSettingsException">The message names the path of the field and what is wrong with it.</exception>
    public static AgentSettings Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
            using var document = JsonDocument.Parse(json, options);
            return Read(document.RootElement);
        }
        catch (JsonException failure)
        {
            throw new AgentSettingsException($"{AgentContent.SettingsFile}:{failure.LineNumber + 1}: not valid JSON", failure);
        }
        catch (InvalidOperationException failure)
        {
            // Half of a surrogate pair, escaped: valid JSON that is no text.
            throw new AgentSettingsException($"{AgentContent.SettingsFile}: a name or a value is not valid Unicode", failure);
        }
    }

    private static AgentSettings Read(JsonElement root)
    {
        var settings = new AgentSettings();
        foreach (var field in Fields(root, string.Empty))
        {
            settings = field.Name switch
            {
                "systemPrompt" => settings with { AppendsSystemPrompt = Word(field, "replace", "append") == "append" },
                "readOnlyContent" => settings with { ReadOnlyContent = Flag(field) },
                "permissionMode" => settings with { PermissionMode = Word(field, SessionOptions.PermissionModes) },
                "onBusy" =>
                    settings with { OnBusy = BusyPolicies.Parse(Word(field, "enqueue", "reject", "interrupt", "steer"))!.Value },
                "resources" => settings with { Resources = ReadResources(field.Value) },
                "network" or "model" or "setup" => throw NotEnforced(field.Name),
                _ => throw Unknown(field.Name),
            };
        }

        return settings;
    }

    private static AgentResources ReadResources(JsonElement element)
    {
        var resources = new AgentResources();
        foreach (var field in Fields(element, "resources"))
        {
            var path = $"resources.{field.Name}";
            resources = field.Name switch
            {
                "memoryMb" => resources with { MemoryMb = WholeNumber(field, path, 256, 1_048_576) },
                "cpus" => resources with { Cpus = Number(field, path, 0.1, 256) },
                "pids" => resources with { Pids = WholeNumber(field, path, 64, 32_768) },
                "diskMb" or "openFiles" or "turnSeconds" => throw NotEnforced(path),
                _ => throw Unknown(path),
            };
        }

        return resources;
    }

    private static JsonElement.ObjectEnumerator Fields(JsonElement element, string path) =>
        element.ValueKind == JsonValueKind.Object
            ? element.EnumerateObject()
            : throw Invalid(path.Length == 0 ? "the file" : path, "must be an object");

    private static string Word(JsonProperty field, params string[] words)
    {
        var text = field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString() : null;
        return words.Contains(text) ? text! : throw Invalid(field.Name, $"must be one of {string.Join(", ", words)}");
    }

    private static bool Flag(JsonProperty field) => field.Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Invalid(field.Name, "must be true or false"),
    };

    private static double Number(JsonProperty field, string path, double min, double max) =>
        field.Value.ValueKind == JsonValueKind.Number && field.Value.TryGetDouble(out var number) && number >= min && number <= max
            ? number
            : throw Invalid(path, $"must be a number from {min} to {max}");

    private static int WholeNumber(JsonProperty field, string path, int min, int max) =>
        field.Value.ValueKind == JsonValueKind.Number && field.Value.TryGetInt32(out var number) && number >= min && number <= max
            ? number
            : throw Invalid(path, $"must be a whole number from {min} to {max}");

    private static AgentSettingsException NotEnforced(string path) => Invalid(path, "is not enforced by this release; remove it");

    private static AgentSettingsException Unknown(string path) => Invalid(path, "is not a known field");

    private static AgentSettingsException Invalid(string path, string reason) => new($"{AgentContent.SettingsFile}: {path} {reason}");
}

/// <summary>Limits that an agent asks for; null takes the operator's default.</summary>
internal sealed record AgentResources(int? MemoryMb = null, double? Cpus = null, int? Pids = null);
