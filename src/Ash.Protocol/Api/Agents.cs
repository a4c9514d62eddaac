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

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

public sealed record AgentEnvelope(AgentInfo Agent);

public sealed record AgentListEnvelope(IReadOnlyList<AgentInfo> Agents);

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

public sealed record OkEnvelope(bool Ok);
