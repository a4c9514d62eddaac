using System.Text.Json.Serialization;

namespace Ash.Protocol.Launch;

/// <summary>What <c>ash-bridge launch FILE</c> does, once, before it becomes bubblewrap. The file is private to the server.</summary>
public sealed record LaunchSpec
{
    /// <summary>Host user and group the sandbox runs as, never 0; null keeps the caller's (reduced isolation).</summary>
    public int? Uid { get; init; }

    /// <summary>Files to write <c>0</c> into: <c>tasks</c> of v1 cgroups, <c>cgroup.procs</c> of v2 ones.</summary>
    public required IReadOnlyList<string> CgroupFiles { get; init; }

    /// <summary>Bound below <c>/mnt</c> in a mount namespace of the launcher's own, so that no parent folder need be open to the uid.</summary>
    public required IReadOnlyList<StagedBind> Binds { get; init; }

    /// <summary>The bubblewrap program, an absolute path.</summary>
    public required string Bubblewrap { get; init; }

    /// <summary>Bubblewrap's options, separated and ended by NUL bytes, for its <c>--args</c>.</summary>
    public required string ArgumentsFile { get; init; }

    /// <summary>The compiled filter for <c>--seccomp</c>.</summary>
    public required string SeccompFile { get; init; }

    /// <summary>Where bubblewrap writes <c>{"child-pid": N}</c>, N as seen by the host (<c>--info-fd</c>).</summary>
    public required string InfoFile { get; init; }

    /// <summary>Standard output and standard error until the bridge is up, mode 0600.</summary>
    public required string LogFile { get; init; }

    /// <summary>What runs as pid 1 inside: program and arguments.</summary>
    public required IReadOnlyList<string> Command { get; init; }
}

/// <summary>A source on the host and the name it gets below <c>/mnt</c>, which bubblewrap's options refer to.</summary>
public sealed record StagedBind(string Source, string Name, bool ReadOnly);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LaunchSpec))]
public sealed partial class LaunchJson : JsonSerializerContext;
