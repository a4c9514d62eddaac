using System.Collections.Concurrent;
using Ash.Runner.Sandboxes;
using Ash.Server.Sessions;
using Ash.Server.Storage;

namespace Ash.Server.Agents;

/// <summary>The deployed folders, each under the hash of its content and never changed: <c>agents/&lt;hash&gt;</c>.</summary>
/// <param name="root">The folder of all of them.</param>
/// <param name="temporary">On the same file system, and emptied when a server starts.</param>
internal sealed class AgentContentStore(string root, string temporary)
{
    private readonly ConcurrentDictionary<string, AgentContent> _open = new();
    private readonly Gate _held = new();

    public string PathOf(string hash) => Path.Combine(root, hash);

    /// <summary>The content of a version that is stored.</summary>
    /// <exception cref="SandboxException">It is not there, so no sandbox can have it.</exception>
    public AgentContent Open(string hash) => _open.GetOrAdd(hash, static (hash, store) => AgentContent.Load(store.PathOf(hash)), this);

    /// <summary>
    /// Takes over a checked folder; it survives a power cut from here on. One that is there already stays as it is: the same
    /// hash is the same content.
    /// </summary>
    public void Adopt(string folder, string hash)
    {
        Directory.CreateDirectory(root);
        if (Directory.Exists(PathOf(hash)))
        {
            Directory.Delete(folder, recursive: true);
            return;
        }

        // The files before the name: a folder that is there under its hash is whole.
        DiskSync.FileSystem(folder);
        Directory.Move(folder, PathOf(hash));
        DiskSync.Folder(root);
    }

    /// <summary>Whoever finds content here and is about to store a row that needs it, or removes what no row needs, does so alone.</summary>
    public ValueTask<Gate.Pass> HoldAsync() => _held.EnterAsync();

    public void Remove(string hash)
    {
        _open.TryRemove(hash, out _);
        if (!Directory.Exists(PathOf(hash)))
        {
            return;
        }

        // First the name goes: whatever is found under a hash is taken for the whole, and a removal may be cut short.
        var removed = Path.Combine(temporary, "removed-" + Guid.CreateVersion7());
        Directory.Move(PathOf(hash), removed);
        DiskSync.Folder(root);
        Directory.Delete(removed, recursive: true);
    }
}
