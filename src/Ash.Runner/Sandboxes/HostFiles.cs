using System.Runtime.InteropServices;
using Ash.Runner.Kernel;

namespace Ash.Runner.Sandboxes;

/// <summary>Files of ours that every sandbox shares: a few of <c>/etc</c>, and what stands for content an agent does not have.</summary>
internal sealed class HostFiles
{
    private const UnixFileMode FolderMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private const UnixFileMode FileMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public HostFiles(string directory)
    {
        Etc = MakeFolder(Path.Combine(directory, "etc"));
        EmptyFolder = MakeFolder(Path.Combine(directory, "empty"));
        EmptyFile = MakeFile(Path.Combine(directory, "empty-file"), string.Empty);

        MakeFile(Path.Combine(Etc, "passwd"), "agent:x:1000:1000:agent:/home/agent:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n");
        MakeFile(Path.Combine(Etc, "group"), "agent:x:1000:\nnogroup:x:65534:\n");
        MakeFile(Path.Combine(Etc, "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n");
        MakeFile(Path.Combine(Etc, "hosts"), "127.0.0.1 localhost sandbox\n::1 localhost\n");
    }

    public string Etc { get; }

    public string EmptyFolder { get; }

    public string EmptyFile { get; }

    /// <summary>Makes a folder that sandboxes may read, whatever the umask is.</summary>
    public static string MakeFolder(string path)
    {
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, FolderMode);
        return path;
    }

    /// <summary>Gives a file or folder to a host user.</summary>
    public static void GiveTo(string path, uint uid)
    {
        if (Libc.ChangeOwner(path, uid, uid) != 0)
        {
            throw new IOException($"{path} cannot be given to user {uid}: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    private static string MakeFile(string path, string text)
    {
        // Sandboxes that outlived a server see these very files: what is right already stays untouched.
        if (!File.Exists(path) || File.ReadAllText(path) != text)
        {
            File.WriteAllText(path, text);
        }

        File.SetUnixFileMode(path, FileMode);
        return path;
    }
}
