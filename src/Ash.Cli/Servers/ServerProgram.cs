namespace Ash.Cli.Servers;

/// <summary>The program <c>ash-server</c> with its arguments.</summary>
internal sealed record ServerProgram(string Path, IReadOnlyList<string> Arguments)
{
    private const string Name = "ash-server";

    /// <summary>Beside <c>ash</c>, else where <c>ASH_SERVER_ENTRY</c> says, else on the <c>PATH</c>.</summary>
    /// <exception cref="CliException">It is nowhere.</exception>
    public static ServerProgram Find(CliHost host, params IReadOnlyList<string> arguments)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new CliException("The server needs Linux. Link one that runs elsewhere with: ash link URL");
        }

        var path = Candidates(host).FirstOrDefault(File.Exists)
            ?? throw new CliException($"{Name} was not found beside ash or on the PATH. Set ASH_SERVER_ENTRY to its path.");

        return path.EndsWith(".dll", StringComparison.Ordinal)
            ? new ServerProgram("dotnet", [path, .. arguments])
            : new ServerProgram(path, arguments);
    }

    private static IEnumerable<string> Candidates(CliHost host)
    {
        yield return System.IO.Path.Combine(host.ProgramFolder, Name);

        if (host.Variable("ASH_SERVER_ENTRY") is { } entry)
        {
            yield return System.IO.Path.GetFullPath(entry);
        }

        foreach (var folder in (host.Variable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            yield return System.IO.Path.GetFullPath(System.IO.Path.Combine(folder, Name));
        }
    }
}
