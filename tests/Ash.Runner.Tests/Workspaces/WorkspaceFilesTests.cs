using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Ash.Runner.Kernel;
using Ash.Runner.Workspaces;

namespace Ash.Runner.Tests.Workspaces;

/// <summary>Files of a workspace from outside, while whoever is inside does the worst to them.</summary>
public sealed partial class WorkspaceFilesTests : IDisposable
{
    private readonly TestWorkspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void AFile_IsWrittenReadListedAndRemoved()
    {
        Assert.Null(_workspace.Write("a/b/c.txt", "one"));
        Assert.Null(_workspace.Write("a/b/c.txt", "two"));

        Assert.Equal("two", _workspace.Read("a/b/c.txt"));
        Assert.Contains("a/b/c.txt", _workspace.List());
        Assert.Equal(FileKind.File, _workspace.Files.Remove("a/b/c.txt"));
        Assert.Equal(FileKind.None, _workspace.Files.Remove("a/b/c.txt"));
        Assert.Equal(FileKind.Folder, _workspace.Files.Remove("a/b"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_workspace.Temporary));
    }

    [Fact]
    public void WhatIsWritten_BelongsToTheWorkspacesUser()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root gives files away.");
        Assert.Null(_workspace.Write("a/b.txt", "text"));

        Assert.All(["a", "a/b.txt"], path => Assert.Equal(TestWorkspace.Owner, OwnerOf(_workspace.In(path))));
    }

    [Fact]
    public void WhatIsWritten_DoesNotChangeAFileThatHadTheName_UnderItsOtherNames()
    {
        File.WriteAllText(_workspace.In("first"), "old");
        Assert.Equal(0, HardLink(_workspace.In("first"), _workspace.In("second")));

        Assert.Null(_workspace.Write("second", "new"));

        Assert.Equal("old", _workspace.Read("first"));
        Assert.Equal("new", _workspace.Read("second"));
    }

    [Fact]
    public void WhatIsToReplaceNothing_ReplacesNothing()
    {
        Assert.Null(_workspace.Write("name", "one", replaces: false));

        Assert.Equal(ConfinedFolders.NameIsTaken, _workspace.Write("name", "two", replaces: false));
        Assert.Equal("one", _workspace.Read("name"));
    }

    [Theory]
    [InlineData("to-file")]
    [InlineData("to-folder/file")]
    [InlineData("within/file")]
    [InlineData("root/etc/hostname")]
    [InlineData("loop")]
    [InlineData("pipe")]
    [InlineData("socket")]
    [InlineData("folder")]
    public void WhatIsNoPlainFile_IsThere_AndIsNotRead(string path)
    {
        MakeTraps();

        Assert.Null(_workspace.Files.OpenRead(path, out var isThere));
        Assert.True(isThere);
    }

    [Fact]
    public void Links_AreNeitherWrittenThroughNorListedAsWhatTheyLeadTo()
    {
        MakeTraps();

        Assert.Equal("to-folder is not a folder", _workspace.Write("to-folder/planted", "x"));
        Assert.Equal("pipe is not a folder", _workspace.Write("pipe/planted", "x"));
        Assert.Equal("There is a folder of this name", _workspace.Write("folder", "x"));
        Assert.Equal(FileKind.None, _workspace.Files.Remove("to-folder/file"));
        Assert.Equal(
            [".claude/settings.json", "folder/file", "folder/up"],
            _workspace.List().Where(path => path.Contains('/', StringComparison.Ordinal)));
        Assert.Equal([$"file={TestWorkspace.Secret}"], _workspace.FilesOutside);
    }

    [Fact]
    public void ALinkOrAPipe_GivesPlaceToAFile_AndIsRemovedItself()
    {
        MakeTraps();

        Assert.Null(_workspace.Write("to-file", "mine"));
        Assert.Null(_workspace.Write("pipe", "mine"));
        Assert.Equal(FileKind.File, _workspace.Files.Remove("to-folder"));

        Assert.Equal("mine", _workspace.Read("to-file"));
        Assert.Equal("mine", _workspace.Read("pipe"));
        Assert.Equal([$"file={TestWorkspace.Secret}"], _workspace.FilesOutside);
    }

    [Fact]
    public void TheAgentsOwnFiles_AreReadFromWhereTheyWereDeployed_AndNeverWritten()
    {
        File.WriteAllText(_workspace.In("CLAUDE.md"), "what lies below the mount");
        Directory.CreateDirectory(_workspace.In(".claude"));
        File.WriteAllText(_workspace.In(".claude/planted"), "x");

        Assert.Equal("deployed", _workspace.Read("CLAUDE.md"));
        Assert.Equal([".claude", ".claude/settings.json", "CLAUDE.md"], _workspace.List());
        Assert.Null(_workspace.Read(".claude/planted"));
        Assert.Null(_workspace.Read("not-mounted"));
        Assert.All(["CLAUDE.md", ".claude", ".claude/hooks/x", ".mcp.json"], path =>
        {
            Assert.True(_workspace.Files.IsReadOnly(path));
            Assert.Equal(WorkspaceFiles.ReadOnlyReason, _workspace.Write(path, "evil"));
        });
        Assert.Null(_workspace.Write("folder/CLAUDE.md", "this one is anybody's"));
    }

    [Fact]
    public void AnAgentThatOptedOut_HasItsFilesInTheWorkspace()
    {
        using var workspace = new TestWorkspace(hasReadOnlyContent: false);

        Assert.Null(workspace.Write("CLAUDE.md", "changed"));

        Assert.Equal("changed", workspace.Read("CLAUDE.md"));
        Assert.Equal(["CLAUDE.md"], workspace.List());
    }

    [Fact]
    public void AListing_IsBounded_AndSaysSo()
    {
        for (var i = 0; i < 20; i++)
        {
            File.WriteAllText(_workspace.In(i.ToString(CultureInfo.InvariantCulture)), "x");
        }

        var listing = _workspace.Files.List(static (_, _) => true, maxEntries: 10);

        Assert.InRange(listing.Count(), 1, 13);
        Assert.True(listing.IsCut);
    }

    [Fact]
    public void FoldersThreeHundredDeep_AreListedAsFarAsAPathReaches()
    {
        var deep = string.Join('/', Enumerable.Repeat("d", 300));
        Directory.CreateDirectory(_workspace.In(deep));

        Assert.Equal(WorkspacePath.MaxDepth, _workspace.List().Count(path => path[0] == 'd'));
    }

    [Fact]
    public async Task AFileWhoseOwnerWouldHaveUsWait_IsNotWaitedFor()
    {
        const string Hold = "import fcntl,signal,sys; signal.signal(signal.SIGIO, signal.SIG_IGN); f = open(sys.argv[1]); "
            + "fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK); print('held', flush=True); sys.stdin.read()";
        File.WriteAllText(_workspace.In("leased"), "text");
        using var holder = Process.Start(new ProcessStartInfo("python3", ["-I", "-c", Hold, _workspace.In("leased")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!; // A program that is there.
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        Assert.Null(_workspace.Files.OpenRead("leased", out var isThere));

        Assert.True(isThere);
        holder.StandardInput.Close();
        await holder.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public void FoldersWithoutNumber_AreNotRemembered()
    {
        var name = new string('n', 240);
        for (var i = 0; i < 5_000; i++)
        {
            Directory.CreateDirectory(_workspace.In(i.ToString(CultureInfo.InvariantCulture) + name));
        }

        var listing = _workspace.Files.List(static (_, _) => true, maxEntries: 1_000_000);

        Assert.InRange(listing.Count(), 4_000, 4_900);
        Assert.True(listing.IsCut);
    }

    [Fact]
    public void ANameThatIsNoUtf8_IsLeftOut()
    {
        using var folder = ConfinedFiles.OpenRoot(_workspace.Work)!; // It is there.
        using var staging = _workspace.Files.Stage();
        using var file = staging.Make();
        Assert.Equal(0, Libc.RenameAt(staging.Root, "0\0"u8, folder, [(byte)'c', 0xe9, 0]));

        Assert.Equal([".claude", ".claude/settings.json", "CLAUDE.md"], _workspace.List());
    }

    [Fact]
    public async Task AFolderThatIsSwappedForALinkMeanwhile_NeverLeadsOut()
    {
        Directory.CreateDirectory(_workspace.In("swapped"));
        var read = new HashSet<string?>();
        await using (_workspace.Swap("swapped"))
        {
            for (var i = 0; i < 300; i++)
            {
                _workspace.Write("swapped/file", "inside");
                _workspace.Write($"swapped/new-{i % 10}/file", "inside");
                read.Add(_workspace.Read("swapped/file"));
                _workspace.Files.Remove("swapped/file");
                Assert.DoesNotContain(
                    _workspace.Files.List(static (_, _) => true, 1000), entry => entry.Description is { Kind: FileKind.File, Size: var size } && size == TestWorkspace.Secret.Length);
            }
        }

        Assert.Subset(new HashSet<string?> { null, "inside" }, read);
        Assert.Equal([$"file={TestWorkspace.Secret}"], _workspace.FilesOutside);
    }

    private void MakeTraps()
    {
        File.CreateSymbolicLink(_workspace.In("to-file"), Path.Combine(_workspace.Outside, "file"));
        File.CreateSymbolicLink(_workspace.In("to-folder"), _workspace.Outside);
        File.CreateSymbolicLink(_workspace.In("root"), "/proc/self/root");
        File.CreateSymbolicLink(_workspace.In("loop"), "loop");
        Directory.CreateDirectory(_workspace.In("folder"));
        File.WriteAllText(_workspace.In("folder/file"), "inside");
        File.CreateSymbolicLink(_workspace.In("within"), "folder");
        File.CreateSymbolicLink(_workspace.In("folder/up"), "..");
        _workspace.MakePipe("pipe");
        using var socket = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(_workspace.In("bound")));
        File.Move(_workspace.In("bound"), _workspace.In("socket"));
    }

    private static uint OwnerOf(string path)
    {
        Span<byte> result = stackalloc byte[256];
        Assert.Equal(0, Libc.Describe(Libc.AtCurrentDirectory, path, Libc.AtSymlinkNoFollow, 0x7ff, result));
        return MemoryMarshal.Read<uint>(result[20..]);
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int HardLink(string from, string to);
}
