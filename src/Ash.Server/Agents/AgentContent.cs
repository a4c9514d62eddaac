using Ash.Runner.Sandboxes;

namespace Ash.Server.Agents;

/// <summary>A deployed folder: where it is, and what its <c>ash.json</c> asks for.</summary>
internal sealed record AgentContent(string Path, AgentSettings Settings)
{
    public const string SettingsFile = "ash.json";
    public const string PromptFile = "CLAUDE.md";

    /// <exception cref="AgentSettingsException">Its <c>ash.json</c> cannot be used.</exception>
    /// <exception cref="SandboxException">The folder is gone, or is none of an agent.</exception>
    public static AgentContent Load(string path)
    {
        // Without its files an agent would look like one that has no settings.
        if (!File.Exists(System.IO.Path.Combine(path, PromptFile)))
        {
            throw new SandboxException(IsGone(path));
        }

        var file = System.IO.Path.Combine(path, SettingsFile);
        var settings = File.Exists(file) ? AgentSettings.Parse(File.ReadAllBytes(file)) : new AgentSettings();
        return new AgentContent(path, settings);
    }

    /// <exception cref="SandboxException">The folder is gone since it was loaded.</exception>
    public string ReadPrompt()
    {
        try
        {
            return File.ReadAllText(System.IO.Path.Combine(Path, PromptFile));
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SandboxException(IsGone(Path), failure);
        }
    }

    private static string IsGone(string path) =>
        $"there is no {PromptFile} in {path}, where the agent's files should be; deploy the agent again";
}
