using Ash.Protocol.Api;

namespace Ash.Cli.Output;

/// <summary>A failure, for programs.</summary>
internal sealed record FailureLine(string Error, int ExitCode, int? StatusCode, string? Code, string? RequestId);

/// <summary>How this machine's server stands, for programs.</summary>
/// <param name="State"><c>running</c> or <c>stopped</c>.</param>
internal sealed record ServerStatus(
    string State, int? Pid = null, int? Port = null, string? Url = null, string? DataDir = null, HealthInfo? Health = null);

/// <summary>A file that was saved on this machine, for programs.</summary>
/// <param name="Size">In bytes.</param>
internal sealed record SavedFile(string Path, long Size);

/// <summary>Which server commands go to from now on, for programs.</summary>
internal sealed record LinkLine(string ServerUrl);

/// <summary>How a session works.</summary>
internal sealed record SessionConfigLine(string? Model, SessionConfig? Config);

/// <summary>What was deleted, for programs.</summary>
internal sealed record DeletedLine(string Deleted);

/// <summary>Where commands go, for programs.</summary>
/// <param name="ApiKey">Whether there is one; it is not shown.</param>
internal sealed record ConfigLine(string Path, string ServerUrl, bool ApiKey);
