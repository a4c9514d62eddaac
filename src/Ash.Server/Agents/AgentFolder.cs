using System.Security.Cryptography;
using System.Text;
using Ash.Protocol.Api;

namespace Ash.Server.Agents;

/// <summary>A folder that is about to be deployed: filled from a request or from a path, checked, and hashed.</summary>
/// <remarks>Everything in it comes from outside. Nothing is written but beneath it, and no link is followed or kept.</remarks>
internal sealed class AgentFolder : IDisposable
{
    private const int MaxFiles = 10_000;
    private const long MaxBytes = 256L * 1024 * 1024;

    /// <summary>What is not part of an agent (contract 3.1).</summary>
    private static readonly HashSet<string> SkippedNames =
    [
        "node_modules", ".git", "__pycache__", ".cache", ".npm", ".pnpm-store", ".yarn", ".venv", "venv", ".tmp", "tmp", ".DS_Store",
    ];

    private readonly DirectoryInfo _root;
    private long _bytes;
    private int _files;

    public AgentFolder(string temporaryRoot)
    {
        Directory.CreateDirectory(temporaryRoot);
        _root = Directory.CreateDirectory(System.IO.Path.Combine(temporaryRoot, "deploy-" + Guid.CreateVersion7()));
    }

    public string Path => _root.FullName;

    /// <summary>Fills the folder with files of a request.</summary>
    /// <returns>What is wrong with one of them, or null.</returns>
    public string? Add(IReadOnlyList<AgentFile> files)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
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

            if (TryWrite(file.Path, content, file.Executable) is { } clash)
            {
                return clash;
            }
        }

        return null;
    }

    /// <summary>Fills the folder from one on this machine.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public string? Copy(string source)
    {
        if (!System.IO.Path.IsPathFullyQualified(source))
        {
            return "path must be absolute";
        }

        if (!Directory.Exists(source))
        {
            return $"path: there is no folder at {source} on the server's machine";
        }

        return CopyInto(new DirectoryInfo(source), string.Empty);
    }

    /// <summary>Writes <c>CLAUDE.md</c> unless the folder has one.</summary>
    public void AddPrompt(string prompt)
    {
        var path = System.IO.Path.Combine(Path, AgentContent.PromptFile);
        if (!File.Exists(path))
        {
            File.WriteAllText(path, prompt);
        }
    }

    public bool HasPrompt => new FileInfo(System.IO.Path.Combine(Path, AgentContent.PromptFile)) is { Exists: true, LinkTarget: null };

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

    private string? CopyInto(DirectoryInfo source, string prefix)
    {
        foreach (var entry in source.EnumerateFileSystemInfos())
        {
            var name = prefix + entry.Name;
            if (SkippedNames.Contains(entry.Name))
            {
                continue;
            }

            if (entry.LinkTarget is not null)
            {
                return $"path: {name} is a symbolic link; an agent folder holds files and folders only";
            }

            if (entry is DirectoryInfo folder)
            {
                if (CopyInto(folder, name + "/") is { } reason)
                {
                    return reason;
                }
            }
            else if (entry is FileInfo file && (file.Attributes & (FileAttributes.Normal | FileAttributes.Archive | FileAttributes.ReadOnly | FileAttributes.Hidden)) == file.Attributes)
            {
                if (Count(file.Length) is { } tooLarge)
                {
                    return tooLarge;
                }

                var isExecutable = (file.UnixFileMode & UnixFileMode.UserExecute) != 0;
                if (TryWrite(name, File.ReadAllBytes(file.FullName), isExecutable) is { } clash)
                {
                    return clash;
                }
            }
            else
            {
                return $"path: {name} is neither a file nor a folder";
            }
        }

        return null;
    }

    private string? Count(long bytes)
    {
        _bytes += bytes;
        _files++;
        return _files > MaxFiles ? $"an agent may have at most {MaxFiles} files"
            : _bytes > MaxBytes ? $"an agent may have at most {MaxBytes} bytes"
            : null;
    }

    private string? TryWrite(string relative, byte[] content, bool isExecutable)
    {
        var target = System.IO.Path.Combine(Path, relative);
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            File.WriteAllBytes(target, content);
        }
        catch (IOException)
        {
            return $"files: \"{relative}\" clashes with another path, or its name is too long";
        }
        catch (UnauthorizedAccessException)
        {
            return $"files: \"{relative}\" clashes with a folder of the same name";
        }

        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        File.SetUnixFileMode(
            target, isExecutable ? mode | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : mode);
        return null;
    }

    private static string? Refusal(string path)
    {
        if (path.Length is 0 or > 1024)
        {
            return "must have 1 to 1024 characters";
        }

        if (path.Contains('\\') || path.Any(char.IsControl))
        {
            return "must not hold backslashes or control characters";
        }

        return path.Split('/').Any(part => part is "" or "." or "..") ? "must be relative and must not leave the folder" : null;
    }
}
