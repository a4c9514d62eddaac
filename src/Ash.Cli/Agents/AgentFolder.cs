using Ash.Protocol.Api;

namespace Ash.Cli.Agents;

/// <summary>What of a folder is deployed: everything but tools' leftovers, secrets, and what lies outside of it.</summary>
internal sealed class AgentFolder
{
    private const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private static readonly HashSet<string> SkippedNames = new(StringComparer.Ordinal)
    {
        "node_modules", ".git", "__pycache__", ".cache", ".npm", ".pnpm-store", ".yarn", ".venv", "venv", ".tmp", "tmp", ".DS_Store",
    };

    private static readonly string[] SkippedEndings = [".env", ".env.local", ".sock", ".lock", ".pid"];

    private readonly string _root;
    private readonly List<AgentFile> _files = [];
    private readonly List<string> _leftOut = [];

    private AgentFolder(string root) => _root = root;

    /// <summary>The files, in the order of their paths.</summary>
    public IReadOnlyList<AgentFile> Files => _files;

    /// <summary>Their size before they are encoded.</summary>
    public long TotalBytes { get; private set; }

    /// <summary>What the user may miss, each with the reason.</summary>
    public IReadOnlyList<string> LeftOut => _leftOut;

    public static AgentFolder Read(string path, CancellationToken cancellationToken)
    {
        var root = NativeFiles.RealPath(path) ?? throw new CliException($"There is no folder {path}", ExitCodes.Usage);
        var folder = new AgentFolder(root);
        folder.Walk(root, "", [root], cancellationToken);
        return folder;
    }

    private static bool IsSkipped(string name) =>
        SkippedNames.Contains(name) || SkippedEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal));

    /// <param name="real">A path without links.</param>
    /// <param name="prefix">What the names in it begin with in the deployed folder.</param>
    /// <param name="parents">Real paths of the folders that are being walked; a link to one of them would never end.</param>
    private void Walk(string real, string prefix, HashSet<string> parents, CancellationToken cancellationToken)
    {
        foreach (var entry in new DirectoryInfo(real).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();

            if (IsSkipped(entry.Name))
            {
                continue;
            }

            var name = prefix + entry.Name;
            var target = entry.LinkTarget is null ? entry.FullName : NativeFiles.RealPath(entry.FullName);

            if (target is null || !target.StartsWith(_root + "/", StringComparison.Ordinal))
            {
                _leftOut.Add($"{name}: a link that leads {(target is null ? "nowhere" : "out of the folder")}");
            }
            else if (target[_root.Length..].Split('/').Any(IsSkipped))
            {
                // A link must not bring in by another name what its own name keeps out.
                _leftOut.Add($"{name}: a link to what is not deployed");
            }
            else if (Directory.Exists(target))
            {
                if (parents.Add(target))
                {
                    Walk(target, name + "/", parents, cancellationToken);
                    parents.Remove(target);
                }
                else
                {
                    _leftOut.Add($"{name}: a link to a folder that it lies in");
                }
            }
            else if (NativeFiles.IsRegular(target))
            {
                Take(target, name);
            }
            else
            {
                _leftOut.Add($"{name}: neither a file nor a folder");
            }
        }
    }

    private void Take(string path, string name)
    {
        var content = File.ReadAllBytes(path);
        TotalBytes += content.Length;
        _files.Add(new AgentFile(name, Convert.ToBase64String(content), (File.GetUnixFileMode(path) & AnyExecute) != 0));
    }
}
