using System.Collections.Concurrent;
using Ash.Server.Storage;

namespace Ash.Server.Agents;

/// <summary>The deployed folders, each under the hash of its content and never changed: <c>agents/&lt;hash&gt;</c>.</summary>
internal sealed class AgentContentStore(string root)
{
    private readonly ConcurrentDictionary<string, AgentContent> _open = new();

    public string PathOf(string hash) => Path.Combine(root, hash);

    /// <summary>The content of a version that is stored.</summary>
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

    public void Remove(string hash)
    {
        _open.TryRemove(hash, out _);
        if (Directory.Exists(PathOf(hash)))
        {
            Directory.Delete(PathOf(hash), recursive: true);
        }
    }
}
