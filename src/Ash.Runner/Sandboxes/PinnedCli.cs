namespace Ash.Runner.Sandboxes;

/// <summary>The one version of the Claude Code CLI that this release was tested with.</summary>
public static class PinnedCli
{
    public const string Version = "2.1.330";

    /// <summary>Of the binary in <c>@anthropic-ai/claude-code-linux-x64</c>.</summary>
    public const string Sha256 = "f390eaa0814e6a1bff74cbb47acb74cb9c89d30ced809fe0af5af00c7bfe8ebb";
}
