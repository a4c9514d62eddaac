using Ash.Runner.Bubblewrap;
using Ash.Runner.Kernel;
using Ash.Runner.Sandboxes;

namespace Ash.Runner.Workspaces;

/// <summary>What of a deployed agent folder lies read-only over the workspace, and the places that it is mounted on.</summary>
internal static class ContentMounts
{
    public const string Instructions = "CLAUDE.md";
    public const string Settings = ".claude";
    public const string McpServers = ".mcp.json";

    public static bool IsMounted(string name) => name is Instructions or Settings or McpServers;

    /// <summary>Sources for the three; where the agent has none, empty ones of ours, or it could plant its own.</summary>
    /// <exception cref="SandboxException">One is a link, or of another kind: it could lead out of the agent's folder.</exception>
    public static AgentContent Find(string contentPath, HostFiles files)
    {
        if (!Directory.Exists(contentPath))
        {
            throw new SandboxException($"content: the agent's folder {contentPath} does not exist.");
        }

        return new AgentContent(
            FindFile(contentPath, Instructions, files.EmptyFile),
            FindFolder(contentPath, Settings, files.EmptyFolder),
            FindFile(contentPath, McpServers, files.EmptyFile));
    }

    /// <summary>
    /// Makes the three places in the workspace real ones. Bubblewrap would follow a link, which the agent could then replace
    /// by a folder of its own. Nothing may run in the workspace meanwhile.
    /// </summary>
    public static void Prepare(string workspacePath, uint? owner)
    {
        MakeFile(Path.Combine(workspacePath, Instructions), owner);
        MakeFolder(Path.Combine(workspacePath, Settings), owner);
        MakeFile(Path.Combine(workspacePath, McpServers), owner);
    }

    private static string FindFile(string contentPath, string name, string otherwise)
    {
        var path = Path.Combine(contentPath, name);
        return FileKinds.Of(path) switch
        {
            FileKind.None => otherwise,
            FileKind.File => path,
            _ => throw new SandboxException($"content: {name} in the agent's folder must be a plain file."),
        };
    }

    private static string FindFolder(string contentPath, string name, string otherwise)
    {
        var path = Path.Combine(contentPath, name);
        return FileKinds.Of(path) switch
        {
            FileKind.None => otherwise,
            FileKind.Folder => path,
            _ => throw new SandboxException($"content: {name} in the agent's folder must be a folder."),
        };
    }

    private static void MakeFile(string path, uint? owner)
    {
        if (Clear(path, FileKind.File))
        {
            using var made = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
            Give(path, owner);
        }
    }

    private static void MakeFolder(string path, uint? owner)
    {
        if (Clear(path, FileKind.Folder))
        {
            Directory.CreateDirectory(path);
            Give(path, owner);
        }
    }

    /// <returns>Whether it is to be made.</returns>
    private static bool Clear(string path, FileKind wanted)
    {
        var kind = FileKinds.Of(path);
        if (kind == wanted)
        {
            return false;
        }

        if (kind == FileKind.Folder)
        {
            FolderRemoval.Remove(path);
        }
        else if (kind != FileKind.None)
        {
            File.Delete(path);
        }

        return true;
    }

    private static void Give(string path, uint? owner)
    {
        if (owner is { } uid)
        {
            HostFiles.GiveTo(path, uid);
        }
    }
}
