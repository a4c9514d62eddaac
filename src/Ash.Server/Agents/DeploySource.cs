using Ash.Runner.Kernel;
using Ash.Server.Http;
using Microsoft.Win32.SafeHandles;

namespace Ash.Server.Agents;

/// <summary>A folder of this machine that a deploy may be read from. What is read with it is this folder, wherever its path leads meanwhile.</summary>
internal sealed class DeploySource : IDisposable
{
    /// <summary>What is there is made up by the kernel as it is read: without an end, or with an effect.</summary>
    private static readonly string[] NotOfDisks = ["/proc", "/sys", "/dev"];

    private DeploySource(SafeFileHandle folder) => Folder = folder;

    public SafeFileHandle Folder { get; }

    /// <summary>Opens a folder, as the server's user and for whoever may deploy.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="secrets">The server's own folder: neither it, nor what is in it or around it, is ever read.</param>
    /// <param name="roots">It must be one of these or be in one; null allows any, and an empty list none.</param>
    /// <param name="problem">Why it is not opened; null where it is.</param>
    public static DeploySource? Open(string path, string secrets, IReadOnlyList<string>? roots, out Problem? problem)
    {
        if (roots is { Count: 0 })
        {
            problem = Problems.PathNotAllowed(
                "this server deploys from none of its own folders (ASH_DEPLOY_ROOTS=none); send the files, as ash deploy does");
            return null;
        }

        if (!Path.IsPathFullyQualified(path) || path.Contains('\0'))
        {
            problem = Problems.Invalid("path must be absolute");
            return null;
        }

        var folder = OpenFolder(path);
        problem = Refusal(path, RealPathOf(folder), secrets, roots);
        if (problem is not null)
        {
            folder.Dispose();
            return null;
        }

        return new DeploySource(folder);
    }

    public void Dispose() => Folder.Dispose();

    private static Problem? Refusal(string path, string? real, string secrets, IReadOnlyList<string>? roots)
    {
        if (roots is not null && !roots.Any(root => real is not null && RealPathOf(root) is { } allowed && Holds(allowed, real)))
        {
            // Whether there is such a folder is nobody's business either.
            return Problems.PathNotAllowed(
                $"path: {path} is in none of the folders that this server deploys from (ASH_DEPLOY_ROOTS); send its files, as ash deploy does");
        }

        if (real is null)
        {
            return Problems.Invalid($"path: there is no folder at {path} on the server's machine");
        }

        if (Array.Exists(NotOfDisks, made => Holds(made, real)))
        {
            return Problems.PathNotAllowed($"path must not lead to {NotOfDisks[0]}, {NotOfDisks[1]} or {NotOfDisks[2]}");
        }

        return RealPathOf(secrets) is not { } secret || Holds(real, secret) || Holds(secret, real)
            ? Problems.Invalid("path must not lead to the server's own data folder")
            : null;
    }

    private static bool Holds(string folder, string path) =>
        path.Equals(folder, StringComparison.Ordinal) || path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    private static SafeFileHandle OpenFolder(string path) =>
        Libc.Open(path, Libc.OpenPath | Libc.OpenDirectory | Libc.OpenCloseOnExec, 0);

    private static string? RealPathOf(string path)
    {
        using var folder = OpenFolder(path);
        return RealPathOf(folder);
    }

    /// <summary>Without links and dots, as the kernel resolved it; null where it leads nowhere.</summary>
    private static string? RealPathOf(SafeFileHandle folder) => folder.IsInvalid
        ? null
        : new FileInfo($"/proc/self/fd/{folder.DangerousGetHandle()}").LinkTarget;
}
