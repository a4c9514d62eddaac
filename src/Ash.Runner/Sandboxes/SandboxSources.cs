using Ash.Runner.Bubblewrap;

namespace Ash.Runner.Sandboxes;

/// <summary>Host paths that one start needs beside those in its <see cref="SandboxSpec"/>.</summary>
internal sealed record SandboxSources(
    HostRoot Root, string Bubblewrap, string SeccompFile, string Etc, string Run, string Cli, string Bridge, AgentContent? Content);
