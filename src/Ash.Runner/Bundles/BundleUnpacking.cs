using System.Buffers;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Ash.Runner.Kernel;
using Ash.Runner.Workspaces;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Bundles;

/// <summary>Unpacks a bundle (a gzipped tar archive from outside) into a staging folder, as it arrives.</summary>
/// <remarks>
/// Nothing is written but beneath the staging folder: a name that leads out, a file below a link, a device and the like are
/// refused, and the bundle with them. What the workspace does not take is left out and named.
/// </remarks>
/// <param name="staging">Gets it.</param>
/// <param name="isReadOnly">Whether the workspace does not take a path.</param>
/// <param name="limits">How much it may be.</param>
/// <param name="left">Gets what is left out.</param>
internal sealed class BundleUnpacking(StagingFolder staging, Predicate<string> isReadOnly, BundleLimits limits, LeftOut left)
{
    private const int BufferBytes = 64 * 1024;
    private const string Workspace = "/workspace/";

    private const uint OwnerMayAll = 0b111_000_000;
    private const uint OwnerMayWrite = 0b110_000_000;

    private static ReadOnlySpan<byte> GzipMark => [0x1f, 0x8b];

    private int _entries;
    private long _pathLetters;

    /// <param name="gzip">Read to its end; not owned.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="BundleException">It is refused.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public async Task RunAsync(Stream gzip, CancellationToken cancellationToken)
    {
        var start = await ReadStartAsync(gzip, cancellationToken);
        await using var whole = new PrecededStream(start, gzip);
        await using var unpacked = new GZipStream(whole, CompressionMode.Decompress);
        await using var limited = new LimitedStream(unpacked, limits.Bytes, () => BundleException.TooLarge(limits.Bytes));
        using var archive = new ArchiveReader(limited);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (await archive.ReadNextAsync(cancellationToken) is { } entry)
            {
                _pathLetters += entry.Path.Length;
                if (++_entries > limits.Entries || _pathLetters > BundleLimits.PathLetters)
                {
                    throw new BundleException($"Bundle has more than {limits.Entries} entries, or paths that are too long")
                    {
                        IsTooLarge = true,
                    };
                }

                await UnpackAsync(archive, entry, buffer, cancellationToken);
            }

            // Only its end says that all of it came, and whole.
            while (await limited.ReadAsync(buffer, cancellationToken) > 0)
            {
            }
        }
        catch (InvalidDataException failure)
        {
            throw new BundleException("Invalid bundle: its compressed data are damaged", failure);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<byte[]> ReadStartAsync(Stream gzip, CancellationToken cancellationToken)
    {
        var start = new byte[GzipMark.Length];
        return await gzip.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken) switch
        {
            0 => throw new BundleException("Empty bundle"),
            _ when !start.AsSpan().SequenceEqual(GzipMark) => throw BundleException.Invalid("not a gzip file"),
            _ => start,
        };
    }

    private async Task UnpackAsync(ArchiveReader archive, ArchiveEntry entry, byte[] buffer, CancellationToken cancellationToken)
    {
        var path = WorkspacePath.Normalize(entry.Path)
            ?? throw BundleException.Invalid(
                $"\"{Shown(entry.Path)}\" leads out of the workspace, or its name is too long or too deep");
        if (entry.Kind == ArchiveEntryKind.Other)
        {
            throw BundleException.Invalid($"\"{Shown(path)}\" is neither a file nor a folder nor a link");
        }

        if (path.Length == 0)
        {
            return;
        }

        if (path.Contains('\ufffd', StringComparison.Ordinal))
        {
            left.Add(path, "Its name is not UTF-8");
        }
        else if (isReadOnly(path))
        {
            left.Add(path, WorkspaceFiles.ReadOnlyReason);
        }
        else if (entry.Kind == ArchiveEntryKind.Link && LeadsOut(path, entry.Target))
        {
            left.Add(path, "It is a link that leads out of the workspace");
        }
        else
        {
            await MakeAsync(archive, entry, path, buffer, cancellationToken);
        }
    }

    private async Task MakeAsync(
        ArchiveReader archive, ArchiveEntry entry, string path, byte[] buffer, CancellationToken cancellationToken)
    {
        var (parent, name) = WorkspacePath.Split(path);
        using var folder = ConfinedFolders.OpenOrMake(staging.Root, parent, staging.Owner, replaces: false, out var obstacle)
            ?? throw BundleException.Invalid(
                $"\"{Shown(path)}\" lies below \"{Shown(obstacle!)}\", which is no folder"); // Null has an obstacle.
        if (entry.Kind == ArchiveEntryKind.Folder)
        {
            var mode = (uint)entry.Mode | OwnerMayAll;
            using var made = ConfinedFolders.OpenOrMakeOne(folder, name, mode, staging.Owner, replaces: false)
                ?? throw Clash(path);
            return;
        }

        if (Libc.UnlinkAt(folder, name, flags: 0) != 0 && Marshal.GetLastPInvokeError() == Libc.IsFolder)
        {
            throw Clash(path);
        }

        switch (entry.Kind)
        {
            case ArchiveEntryKind.Link:
                MakeLink(folder, name, entry.Target, path);
                break;
            case ArchiveEntryKind.HardLink:
                MakeHardLink(folder, name, entry.Target, path);
                break;
            default:
                await WriteAsync(archive, entry, folder, name, buffer, cancellationToken);
                break;
        }
    }

    private async Task WriteAsync(
        ArchiveReader archive,
        ArchiveEntry entry,
        SafeFileHandle folder,
        string name,
        byte[] buffer,
        CancellationToken cancellationToken)
    {
        await using var file = staging.MakeFile(folder, name, (uint)entry.Mode | OwnerMayWrite);
        int read;
        while ((read = await archive.ReadContentAsync(buffer, cancellationToken)) > 0)
        {
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        File.SetLastWriteTimeUtc(file.SafeFileHandle, entry.ModifiedAt.UtcDateTime);
    }

    private void MakeLink(SafeFileHandle folder, string name, string target, string path)
    {
        if (Libc.MakeLinkAt(target, folder, name) != 0
            || (staging.Owner is { } uid && Libc.ChangeOwnerAt(folder, name, uid, uid, Libc.AtSymlinkNoFollow) != 0))
        {
            throw new IOException($"{path} cannot be written: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    /// <summary>Only to a file of the same bundle, found as all else is: never through a link, never outside.</summary>
    private void MakeHardLink(SafeFileHandle folder, string name, string target, string path)
    {
        using var file = WorkspacePath.Normalize(target) is { Length: > 0 } normal
            ? ConfinedFiles.OpenFile(staging.Root, normal, out _)
            : null;
        if (file is null)
        {
            throw BundleException.Invalid($"\"{Shown(path)}\" is another name of \"{Shown(target)}\", which is no file in it");
        }

        // Its name under /proc leads to what is open, and not along a path again.
        var opened = $"/proc/self/fd/{file.DangerousGetHandle()}";
        if (Libc.LinkAt(Libc.AtCurrentDirectory, opened, folder, name, Libc.AtFollowLinks) != 0)
        {
            throw new IOException($"{path} cannot be written: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    /// <summary>By its words alone: no link is followed here, wherever it leads; but somebody might, later.</summary>
    private static bool LeadsOut(string path, string target)
    {
        if (target.StartsWith(Workspace, StringComparison.Ordinal))
        {
            (path, target) = (string.Empty, target[Workspace.Length..]);
        }

        if (target.Length == 0 || target.StartsWith('/') || target.Contains('\ufffd', StringComparison.Ordinal))
        {
            return true;
        }

        var depth = path.AsSpan().Count('/');
        foreach (var name in target.Split('/'))
        {
            depth += name switch { "" or "." => 0, ".." => -1, _ => 1 };
            if (depth < 0)
            {
                return true;
            }
        }

        return false;
    }

    private static BundleException Clash(string path) =>
        BundleException.Invalid($"\"{Shown(path)}\" stands there as a folder and as something else");

    private static string Shown(string path)
    {
        const int MaxLength = 200;
        var shown = new StringBuilder();
        foreach (var letter in path.AsSpan(0, Math.Min(path.Length, MaxLength)))
        {
            shown.Append(char.IsControl(letter) ? '?' : letter);
        }

        return shown.ToString();
    }
}
