using System.Text.Json;

namespace Ash.Cli.Servers;

/// <summary>A server's data folder, as far as the command line looks into it.</summary>
internal sealed record DataFolder(string Path)
{
    public string ServerFile => System.IO.Path.Combine(Path, "server.json");
    public string InitialKeyFile => System.IO.Path.Combine(Path, "initial-api-key");
    public string LogFolder => System.IO.Path.Combine(Path, "logs");
    public string LogFile => System.IO.Path.Combine(LogFolder, "server.log");

    /// <summary>The server that runs on this folder, or null.</summary>
    public ServerRecord? FindServer()
    {
        try
        {
            using var file = File.OpenRead(ServerFile);
            return JsonSerializer.Deserialize(file, CliJson.Default.ServerRecord) is { } found && ServerProcess.IsAshServer(found.Pid)
                ? found
                : null;
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException)
        {
            // Cut off by a crash, or just being written: in either case there is no server to name yet.
            return null;
        }
    }
}
