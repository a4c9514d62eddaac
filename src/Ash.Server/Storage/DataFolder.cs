using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ash.Server.Storage.Sqlite;

namespace Ash.Server.Storage;

/// <summary>The folder of everything that is kept, held by one server at a time.</summary>
internal sealed partial class DataFolder : IDisposable
{
    private const string LockName = "lock";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>What may be in a folder that no server has used yet: what <c>ash</c> keeps there, and what a file system's top has.</summary>
    private static readonly string[] HarmlessNames = ["config.json", "logs", "lost+found", "self-test.json", LockName];

    private readonly FileStream _lock;

    private DataFolder(string path, FileStream held, ServerFile previous)
    {
        Path = path;
        _lock = held;
        ServerId = previous.Id;
        PreviousBootId = previous.BootId;
    }

    public string Path { get; }

    /// <summary>Eight letters, made once for the folder: cgroups, users and the cluster follow from it.</summary>
    public string ServerId { get; }

    /// <summary>The boot in which the last server ran here; null before the first.</summary>
    public string? PreviousBootId { get; }

    public string Agents => System.IO.Path.Combine(Path, "agents");

    public string Workspaces => System.IO.Path.Combine(Path, "workspaces");

    public string Attachments => System.IO.Path.Combine(Path, "attachments");

    /// <summary>Payloads that are too large for a row of SQLite: <c>events/&lt;session&gt;/&lt;seq&gt;</c>.</summary>
    public string EventFiles => System.IO.Path.Combine(Path, "events");

    public string Temporary => System.IO.Path.Combine(Path, "tmp");

    public string Logs => System.IO.Path.Combine(Path, "logs");

    /// <summary>What credentials are sealed with where the operator names no key; there only once one was needed.</summary>
    public string CredentialKey => System.IO.Path.Combine(Path, "credential.key");

    public string InitialApiKey => System.IO.Path.Combine(Path, "initial-api-key");

    /// <summary>Why the folder cannot be taken; null where it can, as far as can be seen without touching it.</summary>
    public static string? FindProblem(string path)
    {
        try
        {
            if (!Directory.Exists(path))
            {
                return FindProblemOfMissing(path);
            }

            if (!MayWrite(path, out var reason))
            {
                return NotWritable(path, reason);
            }

            if (File.Exists(System.IO.Path.Combine(path, LockName)))
            {
                // Held by another server, it cannot be opened.
                using var held = OpenLock(path, FileMode.Open);
            }

            if (ServerFile.TryRead(path) is null
                && !File.Exists(System.IO.Path.Combine(path, SqliteLocation.FileName))
                && Directory.EnumerateFileSystemEntries(path).Select(System.IO.Path.GetFileName).Except(HarmlessNames).FirstOrDefault() is { } other)
            {
                return $"ASH_DATA_DIR: {path} holds other things than a server's (\"{other}\"); choose an empty or a new folder with --data-dir";
            }

            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            return Explain(path, failure);
        }
    }

    /// <summary>Takes the folder, making it where it is not there.</summary>
    /// <returns>Null, and why not, where it cannot be used.</returns>
    public static DataFolder? TryOpen(string path, out string? problem)
    {
        problem = FindProblem(path);
        if (problem is not null)
        {
            return null;
        }

        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            var held = OpenLock(path, FileMode.OpenOrCreate);
            try
            {
                File.SetUnixFileMode(path, OwnerOnly);
                var file = ServerFile.TryRead(path) ?? ServerFile.Make();
                var folder = new DataFolder(path, held, file);

                // From here on whatever is named after the id can be found again, even if this server dies before it is up.
                (file with { Pid = Environment.ProcessId, Port = 0 }).Write(path);
                folder.PrepareFolders();
                return folder;
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            problem = Explain(path, failure);
            return null;
        }
    }

    /// <summary>Says who runs here, for the <c>ash</c> command.</summary>
    public void Announce(int port, string bootId) => new ServerFile(ServerId, Environment.ProcessId, port, bootId).Write(Path);

    public void Dispose()
    {
        new ServerFile(ServerId, 0, 0, ServerFile.TryRead(Path)?.BootId).Write(Path);
        _lock.Dispose();
    }

    private void PrepareFolders()
    {
        Directory.CreateDirectory(Temporary);
        foreach (var entry in Directory.EnumerateFileSystemEntries(Temporary).Where(IsOnlyOfItsServer))
        {
            if (Directory.Exists(entry))
            {
                Directory.Delete(entry, recursive: true);
            }
            else
            {
                File.Delete(entry);
            }
        }

        Directory.CreateDirectory(Logs);
    }

    /// <summary>Sandboxes that live on see <c>sandbox</c>; <c>launch-*</c> says which may have been left half started.</summary>
    private static bool IsOnlyOfItsServer(string entry) =>
        System.IO.Path.GetFileName(entry) is var name && name != "sandbox" && !name.StartsWith("launch-", StringComparison.Ordinal);

    private static string? FindProblemOfMissing(string path)
    {
        if (File.Exists(path))
        {
            return $"ASH_DATA_DIR: {path} is a file, not a folder; choose another with --data-dir";
        }

        var parent = System.IO.Path.GetDirectoryName(path);
        while (parent is not null && !Directory.Exists(parent))
        {
            if (File.Exists(parent))
            {
                return $"ASH_DATA_DIR: {path} cannot be made, for {parent} is a file; choose another with --data-dir";
            }

            parent = System.IO.Path.GetDirectoryName(parent);
        }

        return parent is null || MayWrite(parent, out var reason) ? null : NotWritable(path, $"{parent}: {reason}");
    }

    private static string NotWritable(string path, string reason) =>
        $"ASH_DATA_DIR: {path} cannot be written ({reason}); choose another with --data-dir, or change its owner";

    private static FileStream OpenLock(string path, FileMode mode) =>
        new(System.IO.Path.Combine(path, LockName), mode, FileAccess.ReadWrite, FileShare.None);

    private static string Explain(string path, Exception failure)
    {
        if (failure is JsonException)
        {
            return $"ASH_DATA_DIR: {path}/{ServerFile.Name} is damaged; remove this file, and the server makes a new one";
        }

        if (failure is UnauthorizedAccessException)
        {
            return NotWritable(path, failure.Message);
        }

        return TryReadOwner(path) is { Pid: > 0 } other && Directory.Exists($"/proc/{other.Pid}")
            ? $"ASH_DATA_DIR: {path} is in use by the server with pid {other.Pid} {(other.Port > 0 ? $"on port {other.Port}" : "that is just starting")}; "
                + "stop it, or choose another with --data-dir"
            : $"ASH_DATA_DIR: {path} cannot be used ({failure.Message}); choose another with --data-dir";
    }

    private static ServerFile? TryReadOwner(string path)
    {
        try
        {
            return ServerFile.TryRead(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Asks the kernel, which also knows of file systems that nobody may write to.</summary>
    private static bool MayWrite(string folder, out string reason)
    {
        const int WriteAndEnter = 2 | 1;
        var may = Access(folder, WriteAndEnter) == 0;
        reason = may ? string.Empty : Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
        return may;
    }

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    internal sealed record ServerFile(string Id, int Pid, int Port, string? BootId)
    {
        public const string Name = "server.json";

        public static ServerFile Make() => new(RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 8), 0, 0, null);

        /// <exception cref="JsonException">The file is not one of ours.</exception>
        public static ServerFile? TryRead(string folder)
        {
            var path = System.IO.Path.Combine(folder, Name);
            if (!File.Exists(path))
            {
                return null;
            }

            var file = JsonSerializer.Deserialize(File.ReadAllBytes(path), ServerFileJson.Default.ServerFile);
            return file is { Id.Length: > 0 and <= 40 } && file.Id.All(char.IsAsciiLetterOrDigit) ? file : throw new JsonException("There is no id in it.");
        }

        /// <summary>In one step, and safe from power cuts: without its id a folder's sandboxes are not found again.</summary>
        public void Write(string folder)
        {
            var path = System.IO.Path.Combine(folder, Name);
            using (var file = new FileStream(path + ".new", FileMode.Create, FileAccess.Write))
            {
                JsonSerializer.Serialize(file, this, ServerFileJson.Default.ServerFile);
                file.Flush(flushToDisk: true);
            }

            File.Move(path + ".new", path, overwrite: true);
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(DataFolder.ServerFile))]
internal sealed partial class ServerFileJson : JsonSerializerContext;
