using System.Security.Cryptography;
using System.Text;
using Ash.Protocol.Api;
using Ash.Runner.Kernel;
using Ash.Runner.Workspaces;
using Ash.Server.Storage;
using Microsoft.Win32.SafeHandles;

namespace Ash.Server.Agents;

/// <summary>A folder that is about to be deployed: filled from a request or from a path, checked, and hashed.</summary>
/// <remarks>Everything in it comes from outside. Nothing is written but beneath it, and no link is followed or kept.</remarks>
internal sealed class AgentFolder : IDisposable
{
    private const int MaxFiles = 10_000;
    private const long MaxBytes = 256L * 1024 * 1024;

    // What the kernel takes, its final NUL included in neither.
    private const int MaxNameBytes = 255;
    private const int MaxPathBytes = 4095;

    private const UnixFileMode FileMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private const UnixFileMode ProgramMode =
        FileMode | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>What is not part of an agent (contract 3.1).</summary>
    private static readonly HashSet<string> SkippedNames =
    [
        "node_modules", ".git", "__pycache__", ".cache", ".npm", ".pnpm-store", ".yarn", ".venv", "venv", ".tmp", "tmp", ".DS_Store",
    ];

    private static readonly string[] SkippedEndings = [".env", ".env.local", ".sock", ".lock", ".pid"];

    private readonly DirectoryInfo _root;
    private long _bytes;
    private int _files;

    /// <exception cref="StoreException">It could not be written; likewise of all that fills it.</exception>
    public AgentFolder(string temporaryRoot)
    {
        Store(() => Directory.CreateDirectory(temporaryRoot));
        _root = new DirectoryInfo(System.IO.Path.Combine(temporaryRoot, "deploy-" + Guid.CreateVersion7()));
        MakeFolder(_root.FullName);
    }

    public string Path => _root.FullName;

    /// <summary>Fills the folder with files of a request.</summary>
    /// <param name="files">The files.</param>
    /// <param name="mayReplace">Whether one may take the place of a file that is there.</param>
    /// <returns>What is wrong with one of them, or null.</returns>
    public string? Add(IReadOnlyList<AgentFile> files, bool mayReplace = false)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            // What is promised of a list's elements is not checked as it is read.
            if (file is null)
            {
                return "files must not hold null";
            }

            if (Refusal(file.Path) is { } reason)
            {
                return $"files: the path \"{file.Path}\" {reason}";
            }

            if (!seen.Add(file.Path))
            {
                return $"files: the path \"{file.Path}\" stands there twice";
            }

            byte[] content;
            try
            {
                content = Convert.FromBase64String(file.Content);
            }
            catch (FormatException)
            {
                return $"files: the content of \"{file.Path}\" is not base64";
            }

            if (Count(content.Length) is { } tooLarge)
            {
                return tooLarge;
            }

            if (mayReplace)
            {
                Remove(file.Path);
            }

            if (TryWrite(file.Path, content, file.Executable) is { } clash)
            {
                return clash;
            }
        }

        return null;
    }

    /// <summary>Fills the folder with content that was deployed before.</summary>
    /// <exception cref="DirectoryNotFoundException">It is gone, as a whole; of a part, a <see cref="FileNotFoundException"/>.</exception>
    public void AddContent(string contentPath)
    {
        foreach (var file in new DirectoryInfo(contentPath).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            var content = File.ReadAllBytes(file.FullName);
            Count(content.Length);
            TryWrite(
                System.IO.Path.GetRelativePath(contentPath, file.FullName), content, (file.UnixFileMode & UnixFileMode.UserExecute) != 0);
        }
    }

    /// <summary>Removes a file.</summary>
    /// <returns>False where no file has this path.</returns>
    public bool Remove(string relative)
    {
        if (KindOf(relative) != FileKind.File)
        {
            return false;
        }

        var file = new FileInfo(System.IO.Path.Combine(Path, relative));
        _bytes -= file.Length;
        _files--;
        Store(file.Delete);
        return true;
    }

    /// <summary>Fills the folder from one on this machine.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public string? Copy(DeploySource source)
    {
        try
        {
            return CopyInto(source.Folder, source.Folder, string.Empty);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return $"path: {failure.Message}";
        }
    }

    /// <summary>Writes <c>CLAUDE.md</c>, unless the folder has one that is to stay.</summary>
    public void AddPrompt(string prompt, bool mayReplace = false)
    {
        if (mayReplace)
        {
            Remove(AgentContent.PromptFile);
        }

        if (LacksPrompt)
        {
            Write(System.IO.Path.Combine(Path, AgentContent.PromptFile), Encoding.UTF8.GetBytes(prompt), isExecutable: false);
        }
    }

    /// <summary>Whether nothing is there under the prompt's name, be it a prompt or not.</summary>
    public bool LacksPrompt => KindOf(AgentContent.PromptFile) == FileKind.None;

    public bool HasPrompt => KindOf(AgentContent.PromptFile) == FileKind.File;

    /// <summary>What of the names with a meaning is of the wrong kind, or null.</summary>
    public string? WrongKind()
    {
        foreach (var name in new[] { AgentContent.PromptFile, AgentContent.SettingsFile, ".mcp.json" })
        {
            if (KindOf(name) is not (FileKind.None or FileKind.File))
            {
                return $"{name} must be a file";
            }
        }

        return KindOf(".claude") is FileKind.None or FileKind.Folder ? null : ".claude must be a folder";
    }

    /// <summary>SHA-256 over names, execute bits and contents, in the order of the names.</summary>
    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var files = _root.GetFiles("*", SearchOption.AllDirectories)
            .Select(file => (Name: System.IO.Path.GetRelativePath(Path, file.FullName), File: file))
            .OrderBy(file => file.Name, StringComparer.Ordinal);
        foreach (var (name, file) in files)
        {
            var isExecutable = (file.UnixFileMode & UnixFileMode.UserExecute) != 0;
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}\0{(isExecutable ? 'x' : '-')}\0{file.Length}\0"));
            using var content = file.OpenRead();
            hash.AppendData(SHA256.HashData(content));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Removes the folder, unless it was moved away.</summary>
    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }

    /// <summary>Every step goes down from the folder that was opened, by names alone: nothing is followed, whoever swaps what.</summary>
    private string? CopyInto(SafeFileHandle source, SafeFileHandle folder, string prefix)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries($"/proc/self/fd/{folder.DangerousGetHandle()}"))
        {
            var entry = System.IO.Path.GetFileName(path);
            var name = prefix + entry;
            if (SkippedNames.Contains(entry) || SkippedEndings.Any(ending => entry.EndsWith(ending, StringComparison.Ordinal)))
            {
                continue;
            }

            var reason = FileKinds.Of(path) switch
            {
                FileKind.Folder => CopyFolder(source, name),
                FileKind.File => CopyFile(source, name),
                FileKind.Link => $"path: {name} is a symbolic link; an agent folder holds files and folders only",
                _ => $"path: {name} is neither a file nor a folder",
            };
            if (reason is not null)
            {
                return reason;
            }
        }

        return null;
    }

    private string? CopyFolder(SafeFileHandle source, string name)
    {
        using var folder = ConfinedFiles.OpenFolder(source, name);
        return folder is null ? Changed(name) : CopyInto(source, folder, name + "/");
    }

    private string? CopyFile(SafeFileHandle source, string name)
    {
        using var file = ConfinedFiles.OpenRead(source, name);
        if (file is null)
        {
            return Changed(name);
        }

        if (Count(file.Length) is { } refused)
        {
            return refused;
        }

        // As much as it says that it is, and no more: it may grow.
        var content = new byte[file.Length];
        return file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false) == content.Length
            ? TryWrite(name, content, (File.GetUnixFileMode(file.SafeFileHandle) & UnixFileMode.UserExecute) != 0)
            : Changed(name);
    }

    private static string Changed(string name) => $"path: {name} was changed while it was read; deploy it again";

    private string? Count(long bytes)
    {
        _bytes += bytes;
        _files++;
        return _files > MaxFiles ? $"an agent may have at most {MaxFiles} files"
            : _bytes > MaxBytes ? $"an agent may have at most {MaxBytes} bytes"
            : null;
    }

    /// <summary>Refuses what the request has put in its own way.</summary>
    private string? TryWrite(string relative, byte[] content, bool isExecutable)
    {
        var target = System.IO.Path.Combine(Path, relative);
        if (Encoding.UTF8.GetByteCount(target) > MaxPathBytes)
        {
            return $"files: the path \"{relative}\" is too long";
        }

        for (var end = relative.IndexOf('/'); end >= 0; end = relative.IndexOf('/', end + 1))
        {
            switch (KindOf(relative[..end]))
            {
                case FileKind.Folder:
                    break;
                case FileKind.None:
                    MakeFolder(System.IO.Path.Combine(Path, relative[..end]));
                    break;
                default:
                    return $"files: \"{relative}\" clashes with a file where it needs a folder";
            }
        }

        if (KindOf(relative) != FileKind.None)
        {
            return $"files: \"{relative}\" clashes with a folder of the same name";
        }

        Write(target, content, isExecutable);
        return null;
    }

    private FileKind KindOf(string name) => FileKinds.Of(System.IO.Path.Combine(Path, name));

    /// <summary>Sandboxes read the content as a user of their own, whatever the server's umask is.</summary>
    private static void MakeFolder(string path) => Store(() =>
    {
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, ProgramMode);
    });

    private static void Write(string path, byte[] content, bool isExecutable) => Store(() =>
    {
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, isExecutable ? ProgramMode : FileMode);
    });

    /// <summary>What cannot be written is no fault of the request, unlike what cannot be read of its path.</summary>
    private static void Store(Action write)
    {
        try
        {
            write();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException("The folder of an agent could not be written: " + failure.Message, failure);
        }
    }

    /// <summary>What is wrong with the path of a file in an agent's folder, or null.</summary>
    public static string? Refusal(string path)
    {
        if (path.Length is 0 or > 1024)
        {
            return "must have 1 to 1024 characters";
        }

        if (path.Contains('\\') || path.Any(char.IsControl))
        {
            return "must not hold backslashes or control characters";
        }

        var parts = path.Split('/');
        return parts.Any(part => part is "" or "." or "..") ? "must be relative and must not leave the folder"
            : parts.Any(part => Encoding.UTF8.GetByteCount(part) > MaxNameBytes) ? $"must have names of at most {MaxNameBytes} bytes"
            : null;
    }
}
