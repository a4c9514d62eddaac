using System.Text.Json;

namespace Ash.Cli.Servers;

/// <summary>A server's data folder, as far as the command line looks into it.</summary>
internal sealed record DataFolder(string Path)
{
    public string ServerFile => System.IO.Path.Combine(Path, "server.json");
    public string LockFile => System.IO.Path.Combine(Path, "lock");
    public string InitialKeyFile => System.IO.Path.Combine(Path, "initial-api-key");
    public string LogFolder => System.IO.Path.Combine(Path, "logs");
    public string LogFile => System.IO.Path.Combine(LogFolder, "server.log");

    /// <summary>The server that runs on this folder, or null.</summary>
    public ServerRecord? FindServer()
    {
        try
        {
            using var file = File.OpenRead(ServerFile);
            return JsonSerializer.Deserialize(file, CliJson.Default.ServerRecord) is { } found
                && ServerProcess.IsAshServer(found.Pid)
                && IsHeld()
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

    /// <summary>
    /// Whether a server has the folder's lock, and so wrote its own pid. Where none has it, the pid is of one that crashed,
    /// and may be that of another folder's server by now.
    /// </summary>
    /// <remarks>
    /// Looking takes the lock for a moment, so it comes last: where the pid is no Ash server's, one may be just starting.
    /// </remarks>
    private bool IsHeld()
    {
        try
        {
            using var free = new FileStream(LockFile, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception held) when (held is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }
}
