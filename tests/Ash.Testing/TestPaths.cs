namespace Ash.Testing;

/// <summary>Where the programs under test are. They are the ones that a user gets: published, not loaded into the test.</summary>
public static class TestPaths
{
    /// <summary>The repository.</summary>
    public static string Root { get; } = FindRoot();

    public static string Server => Published("ash-server", "ash-server");

    public static string Bridge => Published("ash-bridge", "ash-bridge");

    public static string Ash => Published("ash", "ash");

    /// <summary>Speaks the CLI's stream-json and calls no model (bench/Ash.StandIn).</summary>
    public static string StandIn => Published("ash-stand-in", "ash-stand-in");

    /// <summary>The server's own sources with hold points compiled in.</summary>
    public static string TestHost => Existing(Path.Combine(Root, "artifacts", "bin", "Ash.TestHost", Configuration, "ash-server"));

    public static string Example(string name) => Path.Combine(Root, "examples", name);

    public static string Published(string folder, string name) => Existing(Path.Combine(Root, "artifacts", "publish", folder, name));

    private static string Configuration => AppContext.BaseDirectory.Contains("/debug/", StringComparison.Ordinal) ? "debug" : "release";

    private static string Existing(string path) => File.Exists(path)
        ? path
        : throw new InvalidOperationException($"{path} is not there: run `make build` first.");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Ash.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("The tests do not run below the repository.");
    }
}
