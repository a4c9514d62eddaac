using Ash.Runner.Sandboxes;

namespace Ash.Server.Runners;

/// <summary>Where the programs are that sandboxes run.</summary>
internal static class Programs
{
    public static string BesideServer(string name) => Path.Combine(AppContext.BaseDirectory, name);

    /// <summary>The pinned CLI: beside the server, else where set-up puts it.</summary>
    public static string Cli()
    {
        var beside = BesideServer("claude");
        if (File.Exists(beside))
        {
            return beside;
        }

        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } chosen
            ? chosen
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.Combine(cache, "ash", "claude", PinnedCli.Version, "claude");
    }
}
