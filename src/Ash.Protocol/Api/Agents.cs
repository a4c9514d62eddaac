using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ash.Protocol.Api;

/// <summary>An agent: a folder deployed under a name.</summary>
public sealed record AgentInfo
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public required string TenantId { get; init; }

    /// <summary>Counts the deploys: 1, 2, 3 ….</summary>
    public required int Version { get; init; }

    /// <summary>Where the content of this version lies on the server.</summary>
    public required string Path { get; init; }

    /// <summary>SHA-256 over the content of this version, in hexadecimal.</summary>
    public required string ContentHash { get; init; }

    /// <summary>Default environment of its sandboxes; every value is <c>***</c>. Absent where there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    /// <summary>
    /// Its configuration, an object; of the MCP servers there is shown that they have arguments, variables and headers, not which.
    /// Absent where there is none.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Config { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

public sealed record AgentEnvelope(AgentInfo Agent);

public sealed record AgentListEnvelope(IReadOnlyList<AgentInfo> Agents)
{
    /// <inheritdoc cref="SessionListEnvelope.Total"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Total { get; init; }
}

/// <summary>Deploys an agent under a name, or its next version. Either <see cref="Path"/> or <see cref="Files"/> gives the folder.</summary>
public sealed record DeployAgentRequest
{
    /// <summary><c>^[a-zA-Z0-9_-]+$</c>, 1 to 255 characters.</summary>
    public required string Name { get; init; }

    /// <summary>A folder on the server's machine.</summary>
    public string? Path { get; init; }

    /// <summary>Becomes <c>CLAUDE.md</c> where the files have none.</summary>
    public string? SystemPrompt { get; init; }

    public IReadOnlyList<AgentFile>? Files { get; init; }
    public IReadOnlyDictionary<string, string>? Env { get; init; }
}

/// <param name="Path">Relative, with <c>/</c>.</param>
/// <param name="Content">Base64.</param>
/// <param name="Executable">Whether the file may be run.</param>
public sealed record AgentFile(string Path, string Content, bool Executable = false);

/// <summary>Changes an agent; what is absent stays as it is.</summary>
public sealed record UpdateAgentRequest
{
    /// <summary>What it is called from now on: <c>^[a-zA-Z0-9_-]+$</c>, 1 to 255 characters, and no other agent's. Its sessions stay its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>Takes the place of the whole environment; empty removes it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    /// <summary>An object, whose fields are added to the agent's configuration or take the place of those there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Config { get; init; }

    /// <summary>Takes the place of <c>CLAUDE.md</c>, as the agent's next version.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SystemPrompt { get; init; }
}

/// <param name="Config">Defaults of the agent's sessions, and whatever else its users keep there.</param>
public sealed record AgentConfigEnvelope(JsonElement Config);

/// <summary>A copy of an agent: its newest content, its environment, its configuration and its prompt versions, not its sessions.</summary>
/// <param name="Name">The copy's: <c>^[a-zA-Z0-9_-]+$</c>, 1 to 255 characters, and no agent's yet.</param>
public sealed record CloneAgentRequest(string Name);

/// <summary>A deploy of an agent. Its content never changes; sessions keep the one that they began with.</summary>
/// <param name="Version">Counts the deploys: 1, 2, 3 ….</param>
/// <param name="ContentHash">SHA-256 over its content, in hexadecimal; equal where the content is.</param>
/// <param name="IsCurrent">Whether new sessions begin with it.</param>
/// <param name="CreatedAt">When it was deployed.</param>
public sealed record DeployInfo(int Version, string ContentHash, bool IsCurrent, DateTimeOffset CreatedAt);

public sealed record DeployListEnvelope(IReadOnlyList<DeployInfo> Deploys)
{
    /// <inheritdoc cref="SessionListEnvelope.Total"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Total { get; init; }
}

/// <param name="Version">The deploy whose content becomes that of the next version.</param>
public sealed record RollBackRequest(int Version);

public sealed record AgentFileListEnvelope(IReadOnlyList<FileEntry> Files);

/// <param name="Path">Relative, with <c>/</c>.</param>
/// <param name="Content">As UTF-8 text, invalid bytes replaced.</param>
/// <param name="Size">In bytes.</param>
public sealed record AgentFileContent(string Path, string Content, long Size);

public sealed record WriteAgentFilesRequest
{
    public required IReadOnlyList<AgentFile> Files { get; init; }
}

/// <param name="Written">How many files were.</param>
public sealed record WrittenEnvelope(int Written);

public sealed record DeletedEnvelope(bool Deleted);

public sealed record OkEnvelope(bool Ok);
