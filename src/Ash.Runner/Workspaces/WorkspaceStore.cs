using System.Text;
using Ash.Runner.Kernel;
using Ash.Runner.Sandboxes;

namespace Ash.Runner.Workspaces;

/// <summary>Where sessions keep their files on this machine: <c>&lt;id&gt;/work</c> and <c>&lt;id&gt;/home</c>.</summary>
public sealed class WorkspaceStore
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode AnyExecute =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>
    /// The CLI counts a folder's permission rules only where its own configuration trusts the folder. What is deployed is
    /// read-only there, so the trust is ours to give.
    /// </summary>
    private static readonly byte[] Trust = Encoding.UTF8.GetBytes(
        """{"hasCompletedOnboarding":true,"projects":{"/workspace":{"hasTrustDialogAccepted":true}}}""");

    private readonly string _directory;
    private readonly bool _hasOwners = Libc.EffectiveUser() == 0;

    /// <param name="directory">Made where it is missing, for our eyes only.</param>
    public WorkspaceStore(string directory)
    {
        _directory = directory;
        Directory.CreateDirectory(directory, OwnerOnly);
    }

    /// <summary>Where a workspace's folders are, whether it exists or not.</summary>
    public Workspace Find(string workspaceId) => new(Path.Combine(_directory, Check(workspaceId)));

    public bool Exists(string workspaceId) => Directory.Exists(Find(workspaceId).Path);

    /// <summary>Makes a workspace with the agent's files in it. On a failure nothing of it stays.</summary>
    /// <param name="workspaceId">A name of letters, digits and dashes.</param>
    /// <param name="uid">Host user who owns all of it; ignored where the server is not root.</param>
    /// <param name="contentPath">The deployed agent folder; null for none.</param>
    /// <param name="copyAll">
    /// Whether <c>CLAUDE.md</c>, <c>.claude</c> and <c>.mcp.json</c> are copied too: the agent opted out of having them mounted.
    /// </param>
    /// <exception cref="IOException">It exists already, or cannot be written.</exception>
    public Workspace Create(string workspaceId, int uid, string? contentPath, bool copyAll) =>
        Make(workspaceId, uid, (unfinished, owner) =>
        {
            MakeFolder(Path.Combine(unfinished.HomePath, ".claude"), owner);
            WriteFile(Path.Combine(unfinished.HomePath, ".claude", ".claude.json"), Trust, owner);
            if (contentPath is not null)
            {
                CopyFolder(contentPath, unfinished.WorkPath, owner, name => copyAll || !ContentMounts.IsMounted(name));
            }
        });

    /// <summary>Makes a workspace that holds what another one holds. On a failure nothing of it stays.</summary>
    /// <param name="workspaceId">The new one.</param>
    /// <param name="uid">Host user who owns all of it; ignored where the server is not root.</param>
    /// <param name="originalId">The one that is copied. Its processes stand still, or what they change meanwhile may be half there.</param>
    /// <param name="rewritten">A file of the home that is changed on its way; null for none.</param>
    /// <param name="cancellationToken">Ends the copying.</param>
    /// <exception cref="IOException">The new one exists already, or something cannot be read or written.</exception>
    public Workspace Copy(
        string workspaceId, int uid, string originalId, RewrittenFile? rewritten, CancellationToken cancellationToken) =>
        Make(workspaceId, uid, (unfinished, owner) =>
        {
            var original = Find(originalId);
            CopyTree(original.WorkPath, unfinished.WorkPath, owner, rewritten: null, cancellationToken);
            CopyTree(original.HomePath, unfinished.HomePath, owner, rewritten, cancellationToken);
        });

    /// <summary>Opens the files of a workspace for somebody outside; null where there is no such workspace.</summary>
    /// <param name="workspaceId">Its name.</param>
    /// <param name="uid">Host user who owns all of it; ignored where the server is not root.</param>
    /// <param name="contentPath">The deployed folder whose files lie read-only over it; null where the agent opted out.</param>
    /// <param name="temporaryRoot">A folder of ours on the same file system, for what is made ready.</param>
    internal WorkspaceFiles? OpenFiles(string workspaceId, int uid, string? contentPath, string temporaryRoot) =>
        WorkspaceFiles.Open(Find(workspaceId), contentPath, _hasOwners ? (uint)uid : null, temporaryRoot);

    /// <summary>Removes a workspace with all that is in it, following no link. Harmless where there is none.</summary>
    /// <remarks>Nothing may run in it any more.</remarks>
    public void Remove(string workspaceId)
    {
        var workspace = Find(workspaceId);
        FolderRemoval.Remove(workspace.Path);
        FolderRemoval.Remove(Unfinished(workspace).Path);
    }

    private Workspace Make(string workspaceId, int uid, Action<Workspace, uint?> fill)
    {
        var workspace = Find(workspaceId);
        if (_hasOwners && uid <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(uid), uid, "A workspace may not belong to host user 0.");
        }

        if (Directory.Exists(workspace.Path))
        {
            throw new IOException($"The workspace {workspaceId} exists already.");
        }

        var owner = _hasOwners ? (uint?)uid : null;
        try
        {
            // Under another name until it is whole: one that is there is never half of one.
            var unfinished = Unfinished(workspace);
            FolderRemoval.Remove(unfinished.Path);

            // The outer folder stays ours: nobody but root comes near another session's files, whatever their modes are.
            Directory.CreateDirectory(unfinished.Path, OwnerOnly);
            MakeFolder(unfinished.WorkPath, owner);
            MakeFolder(unfinished.HomePath, owner);
            fill(unfinished, owner);
            Directory.Move(unfinished.Path, workspace.Path);
            return workspace;
        }
        catch
        {
            Remove(workspaceId);
            throw;
        }
    }

    private static void CopyTree(string from, string to, uint? owner, RewrittenFile? rewritten, CancellationToken cancellationToken)
    {
        using var source = ConfinedFiles.OpenRoot(from) ?? throw new IOException("There is no workspace to copy.");
        using var target = ConfinedFiles.OpenRoot(to)!; // Made just now.
        using var copy = new FolderCopy(source, target, owner, rewritten);
        copy.Run(cancellationToken);
    }

    private static Workspace Unfinished(Workspace workspace) => new(workspace.Path + ".new");

    private static string Check(string workspaceId) =>
        workspaceId.Length is > 0 and <= 64 && workspaceId.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-')
            ? workspaceId
            : throw new ArgumentException("A workspace's id is made of letters, digits and dashes.", nameof(workspaceId));

    /// <summary>Copies plain files and folders; links and anything else are left out, whatever they lead to.</summary>
    private static void CopyFolder(string from, string to, uint? owner, Func<string, bool> isWanted)
    {
        foreach (var source in Directory.EnumerateFileSystemEntries(from))
        {
            var name = Path.GetFileName(source);
            if (!isWanted(name))
            {
                continue;
            }

            var target = Path.Combine(to, name);
            switch (FileKinds.Of(source))
            {
                case FileKind.Folder:
                    MakeFolder(target, owner);
                    CopyFolder(source, target, owner, static _ => true);
                    File.SetUnixFileMode(target, FolderMode(File.GetUnixFileMode(source)));
                    break;
                case FileKind.File:
                    File.Copy(source, target);
                    File.SetUnixFileMode(target, FileMode(File.GetUnixFileMode(source)));
                    Give(target, owner);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>As deployed, but never less than its owner needs, and without set-uid and its like.</summary>
    private static UnixFileMode FolderMode(UnixFileMode deployed) => (deployed & (UnixFileMode)0b111_101_101) | OwnerOnly;

    private static UnixFileMode FileMode(UnixFileMode deployed)
    {
        const UnixFileMode Plain =
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        return (deployed & AnyExecute) == 0 ? Plain : Plain | AnyExecute;
    }

    private static void MakeFolder(string path, uint? owner)
    {
        Directory.CreateDirectory(path, OwnerOnly);
        Give(path, owner);
    }

    private static void WriteFile(string path, byte[] content, uint? owner)
    {
        File.WriteAllBytes(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Give(path, owner);
    }

    private static void Give(string path, uint? owner)
    {
        if (owner is { } uid)
        {
            HostFiles.GiveTo(path, uid);
        }
    }
}
