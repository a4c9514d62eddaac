using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ash.Server.Storage;

/// <summary>The folder of everything that is kept, held by one server at a time.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream held, ServerFile previous)
    {
        Path = path;
        _lock = held;
        ServerId = previous.Id;
        PreviousBootId = previous.BootId;
    }

    public string Path { get; }

    /// <summary>Eight letters, made once for the folder: cgroups and the cluster are named after it.</summary>
    public string ServerId { get; }

    /// <summary>The boot in which the last server ran here; null before the first.</summary>
    public string? PreviousBootId { get; }

    public string Agents => System.IO.Path.Combine(Path, "agents");

    public string Workspaces => System.IO.Path.Combine(Path, "workspaces");

    public string Temporary => System.IO.Path.Combine(Path, "tmp");

    public string Logs => System.IO.Path.Combine(Path, "logs");

    public string InitialApiKey => System.IO.Path.Combine(Path, "initial-api-key");

    /// <summary>Takes the folder, making it where it is not there.</summary>
    /// <returns>Null, and why not, where it cannot be used.</returns>
    public static DataFolder? TryOpen(string path, out string? problem)
    {
        problem = null;
        try
        {
            const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            Directory.CreateDirectory(path, ownerOnly);
            File.SetUnixFileMode(path, ownerOnly);
            var held = new FileStream(System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            var folder = new DataFolder(path, held, ServerFile.ReadOrCreate(path));
            if (Directory.Exists(folder.Temporary))
            {
                Directory.Delete(folder.Temporary, recursive: true);
            }

            Directory.CreateDirectory(folder.Temporary);
            Directory.CreateDirectory(folder.Logs);
            return folder;
        }
        catch (UnauthorizedAccessException failure)
        {
            problem = $"the data folder {path} cannot be written ({failure.Message}); choose another with --data-dir or change its owner";
        }
        catch (IOException) when (ServerFile.TryRead(path) is { Pid: > 0 } other && Directory.Exists($"/proc/{other.Pid}"))
        {
            problem = $"the data folder {path} is in use by the server with pid {other.Pid} on port {other.Port}; stop it, or choose another with --data-dir";
        }
        catch (IOException failure)
        {
            problem = $"the data folder {path} cannot be used: {failure.Message}";
        }

        return null;
    }

    /// <summary>Says who runs here, for the <c>ash</c> command.</summary>
    public void Announce(int port, string bootId) => new ServerFile(ServerId, Environment.ProcessId, port, bootId).Write(Path);

    public void Dispose()
    {
        new ServerFile(ServerId, 0, 0, PreviousBootId).Write(Path, keepBootId: true);
        _lock.Dispose();
    }

    internal sealed record ServerFile(string Id, int Pid, int Port, string? BootId)
    {
        private const string Name = "server.json";

        public static ServerFile? TryRead(string folder)
        {
            var path = System.IO.Path.Combine(folder, Name);
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), ServerFileJson.Default.ServerFile) : null;
        }

        public static ServerFile ReadOrCreate(string folder) => TryRead(folder)
            ?? new ServerFile(System.Security.Cryptography.RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 8), 0, 0, null);

        public void Write(string folder, bool keepBootId = false)
        {
            var file = keepBootId && TryRead(folder) is { } current ? this with { BootId = current.BootId } : this;
            var path = System.IO.Path.Combine(folder, Name);
            File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(file, ServerFileJson.Default.ServerFile));
            File.Move(path + ".new", path, overwrite: true);
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(DataFolder.ServerFile))]
internal sealed partial class ServerFileJson : JsonSerializerContext;
