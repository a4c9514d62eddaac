using System.Diagnostics;
using System.Text;
using Ash.Runner.Workspaces;

namespace Ash.Runner.Tests.Workspaces;

/// <summary>A workspace in a temporary folder, with a secret beside it that nobody inside may reach.</summary>
internal sealed class TestWorkspace : IDisposable
{
    public const string Secret = "a secret of somebody else";

    private readonly string _folder = Directory.CreateTempSubdirectory("ash-wf-").FullName;

    public TestWorkspace(bool hasReadOnlyContent = true)
    {
        Workspace = new Workspace(Path.Combine(_folder, "workspace"));
        Directory.CreateDirectory(Work);
        Directory.CreateDirectory(Outside);
        Directory.CreateDirectory(Temporary);
        File.WriteAllText(Path.Combine(Outside, "file"), Secret);
        Directory.CreateDirectory(Path.Combine(Content, ".claude"));
        File.WriteAllText(Path.Combine(Content, "CLAUDE.md"), "deployed");
        File.WriteAllText(Path.Combine(Content, ".claude", "settings.json"), "{}");
        File.WriteAllText(Path.Combine(Content, "not-mounted"), "of the agent's folder alone");
        Files = WorkspaceFiles.Open(Workspace, hasReadOnlyContent ? Content : null, Owner, Temporary)!;
    }

    /// <summary>A user that nobody is; null where the tests are not root.</summary>
    public static uint? Owner => Environment.IsPrivilegedProcess ? 1_999_000_001 : null;

    public Workspace Workspace { get; }

    public WorkspaceFiles Files { get; }

    public string Work => Workspace.WorkPath;

    public string Outside => Path.Combine(_folder, "outside");

    public string Content => Path.Combine(_folder, "content");

    public string Temporary => Path.Combine(_folder, "tmp");

    /// <summary>Everything that lies outside, as it is on the disk.</summary>
    public IEnumerable<string> FilesOutside => Directory.EnumerateFileSystemEntries(Outside, "*", SearchOption.AllDirectories)
        .Select(path => $"{Path.GetRelativePath(Outside, path)}={(File.Exists(path) ? File.ReadAllText(path) : "folder")}");

    public string In(string path) => Path.Combine(Work, path);

    public string? Read(string path)
    {
        using var file = Files.OpenRead(path, out _);
        if (file is null)
        {
            return null;
        }

        var bytes = new byte[RandomAccess.GetLength(file)];
        return Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0));
    }

    /// <summary>Writes a file as a request does.</summary>
    public string? Write(string path, string text, bool replaces = true)
    {
        using var staging = Files.Stage();
        using var file = staging.Make();
        file.Content.Write(Encoding.UTF8.GetBytes(text));
        return Files.Place(staging, file, path, replaces);
    }

    public string[] List(int maxEntries = 1000) => [.. Files.List(static (_, _) => true, maxEntries).Select(entry => entry.Path).Order(StringComparer.Ordinal)];

    public void MakePipe(string path)
    {
        using var mkfifo = Process.Start("mkfifo", In(path));
        mkfifo.WaitForExit();
    }

    /// <summary>Swaps a folder of the workspace for a link that leads out, and back, until it is disposed.</summary>
    public IAsyncDisposable Swap(string folder) => new Swapper(In(folder), Outside);

    public void Dispose()
    {
        Files.Dispose();
        FolderRemoval.Remove(_folder);
    }

    private sealed class Swapper : IAsyncDisposable
    {
        private readonly CancellationTokenSource _enough = new();
        private readonly Task _swapping;

        public Swapper(string place, string outside)
        {
            _swapping = Task.Run(() =>
            {
                while (!_enough.IsCancellationRequested)
                {
                    // Whoever is tested may have made a folder here meanwhile, or taken the link away.
                    Try(() => Directory.Move(place, place + "-away"));
                    Try(() => File.CreateSymbolicLink(place, outside));
                    Try(() => File.Delete(place));
                    Try(() => Directory.Move(place + "-away", place));
                }
            });
        }

        public async ValueTask DisposeAsync()
        {
            await _enough.CancelAsync();
            await _swapping;
            _enough.Dispose();
        }

        private static void Try(Action step)
        {
            try
            {
                step();
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // The next round tries again.
            }
        }
    }
}
