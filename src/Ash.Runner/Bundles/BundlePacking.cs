using System.Formats.Tar;
using System.IO.Compression;
using Ash.Runner.Kernel;
using Ash.Runner.Workspaces;

namespace Ash.Runner.Bundles;

/// <summary>Packs a workspace into a bundle, a gzipped tar archive, as it is read. Links stay links.</summary>
internal static class BundlePacking
{
    private const int BlockBytes = 512;

    /// <summary>Of each entry beside its content: its header, and a long name's.</summary>
    private const int EntryBytes = 3 * BlockBytes;

    /// <summary>Walks through it without reading its files.</summary>
    /// <returns>Whether it is no more than a bundle may hold.</returns>
    public static bool Fits(WorkspaceFiles files, BundleLimits limits)
    {
        var bytes = 0L;
        var listing = files.List(IsWanted, limits.Entries);
        foreach (var entry in listing)
        {
            bytes += EntryBytes + (entry.Description.Kind == FileKind.File ? entry.Description.Size : 0);
            if (bytes > limits.Bytes)
            {
                return false;
            }
        }

        return !listing.IsCut;
    }

    /// <param name="files">What is packed.</param>
    /// <param name="output">Gets it; not owned.</param>
    /// <param name="limits">How much it may be.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="BundleException">It has become more than a bundle may hold. What was written is of no use.</exception>
    public static async Task WriteAsync(
        WorkspaceFiles files, Stream output, BundleLimits limits, CancellationToken cancellationToken)
    {
        await using var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true);
        await using var archive = new TarWriter(gzip, TarEntryFormat.Gnu, leaveOpen: true);
        var bytes = 0L;
        var listing = files.List(IsWanted, limits.Entries);
        foreach (var (path, description, target) in listing)
        {
            using var file = description.Kind == FileKind.File ? files.OpenRead(path, out _) : null;
            if (description.Kind == FileKind.File && file is null)
            {
                // Gone, or something else by now.
                continue;
            }

            // Not from the listing: it may have grown since.
            var length = file is null ? 0 : RandomAccess.GetLength(file);
            bytes += EntryBytes + length;
            if (bytes > limits.Bytes)
            {
                throw BundleException.TooLarge(limits.Bytes);
            }

            await using var content = file is null ? null : new ExactStream(file, length);
            await archive.WriteEntryAsync(ToEntry(path, description, target, content), cancellationToken);
        }

        if (listing.IsCut)
        {
            throw BundleException.TooLarge(limits.Bytes);
        }
    }

    private static GnuTarEntry ToEntry(string path, FileDescription description, string? target, Stream? content)
    {
        var type = description.Kind switch
        {
            FileKind.Folder => TarEntryType.Directory,
            FileKind.Link => TarEntryType.SymbolicLink,
            _ => TarEntryType.RegularFile,
        };
        var entry = new GnuTarEntry(type, path)
        {
            Mode = description.Mode,
            ModificationTime = description.ModifiedAt,
            AccessTime = description.ModifiedAt,
            ChangeTime = description.ModifiedAt,
        };
        if (target is not null)
        {
            entry.LinkName = target;
        }

        if (content is not null)
        {
            entry.DataStream = content;
        }

        return entry;
    }

    /// <summary>What is a secret by its name stays where it is (contract 3.5), and what a Mac leaves everywhere.</summary>
    private static bool IsWanted(string folder, string name) =>
        name is not (".env" or ".DS_Store") && !name.StartsWith(".env.", StringComparison.Ordinal);
}
