using System.Formats.Tar;
using System.IO.Compression;
using Ash.Protocol.Api;
using Ash.Server.Http;

namespace Ash.Server.Agents;

/// <summary>The files of an agent's content. They never change, and hold no links: <see cref="AgentFolder"/> lets none in.</summary>
internal sealed class AgentFiles
{
    private readonly string _root;

    private AgentFiles(string root) => _root = root;

    /// <summary>The newest content of an agent, or the problem with it.</summary>
    public static async Task<(AgentFiles? Files, Problem? Problem)> OpenAsync(
        string tenantId, string name, AgentDirectory agents, CancellationToken cancellationToken) =>
        await agents.FindContentAsync(tenantId, name, cancellationToken) is not { } root ? (null, Problems.AgentNotFound)
        : Directory.Exists(root) ? (new AgentFiles(root), null)
        : (null, Problems.MissingAgentFiles);

    /// <summary>Whether a path would lead out of a folder: an absolute one, or one that goes up.</summary>
    public static bool Leaves(string path) => path.StartsWith('/') || path.Split('/').Contains("..");

    public IReadOnlyList<FileEntry> List() =>
    [
        .. FilesOf().Select(file => new FileEntry(PathOf(file), file.Length, new DateTimeOffset(file.LastWriteTimeUtc))),
    ];

    /// <returns>The file, or null and why there is none.</returns>
    public FileInfo? Find(string path, out Problem? problem)
    {
        var file = new FileInfo(Path.Combine(_root, path));
        problem = path.Length == 0 ? Problems.FilePathRequired
            : AgentFolder.Refusal(path) is not null ? Problems.InvalidFilePath
            : Directory.Exists(file.FullName) ? Problems.NotAFile
            : file.Exists ? null
            : Problems.FileNotFound;
        return problem is null ? file : null;
    }

    /// <summary>Writes all of it as a tar.gz archive.</summary>
    public async Task WriteArchiveAsync(Stream output, CancellationToken cancellationToken)
    {
        await using var compressed = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true);
        await using var archive = new TarWriter(compressed, TarEntryFormat.Pax);
        foreach (var file in FilesOf())
        {
            // Whose the files are on the server is nobody's business.
            await using var content = file.OpenRead();
            var entry = new PaxTarEntry(TarEntryType.RegularFile, PathOf(file))
            {
                Mode = file.UnixFileMode,
                ModificationTime = new DateTimeOffset(file.LastWriteTimeUtc),
                DataStream = content,
            };
            await archive.WriteEntryAsync(entry, cancellationToken);
        }
    }

    private IEnumerable<FileInfo> FilesOf() =>
        new DirectoryInfo(_root).EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(PathOf, StringComparer.Ordinal);

    private string PathOf(FileInfo file) => Path.GetRelativePath(_root, file.FullName);
}
