using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using Ash.Runner.Bundles;
using Ash.Runner.Tests.Workspaces;
using Ash.Runner.Workspaces;

namespace Ash.Runner.Tests.Bundles;

/// <summary>Workspaces as bundles: packed without following anything, unpacked without trusting anything.</summary>
public sealed class BundleTests : IDisposable
{
    private static readonly BundleLimits Small = new(Bytes: 1024 * 1024, Entries: 100);

    private readonly TestWorkspace _workspace = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public async Task AWorkspace_ComesBackFromItsBundleAsItWas()
    {
        Directory.CreateDirectory(_workspace.In("empty"));
        Directory.CreateDirectory(_workspace.In(".git"));
        _workspace.Write(".git/HEAD", "ref");
        _workspace.Write("a/yarn.lock", "locked");
        _workspace.Write("a/tool.sh", "#!/bin/sh");
        File.SetUnixFileMode(_workspace.In("a/tool.sh"), (UnixFileMode)0b111_101_101);
        File.SetLastWriteTimeUtc(_workspace.In("a/tool.sh"), new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        _workspace.Write(new string('n', 200) + "/" + new string('m', 200), "a long name");
        _workspace.Write("umläut ☂", "named");
        File.CreateSymbolicLink(_workspace.In("a/link"), "../umläut ☂");
        var bundle = await PackAsync(_workspace);

        using var other = new TestWorkspace();
        var (written, left) = await UnpackAsync(other, bundle);

        Assert.Equal(_workspace.List(), other.List());
        Assert.Equal(6, written);
        Assert.Equal("locked", other.Read("a/yarn.lock"));
        Assert.Equal("named", other.Read("umläut ☂"));
        Assert.Equal("../umläut ☂", new FileInfo(other.In("a/link")).LinkTarget);
        Assert.Equal((UnixFileMode)0b111_101_101, File.GetUnixFileMode(other.In("a/tool.sh")));
        Assert.Equal(new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc), File.GetLastWriteTimeUtc(other.In("a/tool.sh")));

        // The agent's own files are in the bundle, and are not written over the other agent's.
        Assert.Equal([".claude", ".claude/settings.json", "CLAUDE.md"], left.Named.Select(named => named.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task SecretsByTheirNames_AndWhatIsNoFile_AreNotPacked_AndLinksAreNotFollowed()
    {
        foreach (var name in new[] { ".env", ".env.local", ".env.production", "a/.env", ".DS_Store", "environment", ".environment" })
        {
            _workspace.Write(name, "KEY=value");
        }

        _workspace.MakePipe("pipe");
        File.CreateSymbolicLink(_workspace.In("out"), _workspace.Outside);
        File.CreateSymbolicLink(_workspace.In("secret"), Path.Combine(_workspace.Outside, "file"));

        var entries = ReadArchive(await PackAsync(_workspace));

        Assert.Equal(
            [".claude", ".claude/settings.json", ".environment", "CLAUDE.md", "a", "environment", "out", "secret"],
            entries.Select(entry => entry.Name.TrimEnd('/')).Order(StringComparer.Ordinal));
        Assert.All(entries.Where(entry => entry.Name is "out" or "secret"), entry => Assert.Equal(TarEntryType.SymbolicLink, entry.Type));
        Assert.DoesNotContain(entries, entry => entry.Text.Contains(TestWorkspace.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnotherProgramsBundle_IsTaken()
    {
        _workspace.Write("folder/file", "text");
        _workspace.Write("folder/" + new string('n', 98), "a long name");
        Directory.CreateDirectory(_workspace.In("folder/sub"));
        File.CreateSymbolicLink(_workspace.In("folder/sub/link"), "../file");
        using var link = Process.Start("ln", [_workspace.In("folder/file"), _workspace.In("folder/twin")]);
        await link.WaitForExitAsync(Cancellation);
        foreach (var format in new[] { "gnu", "pax", "ustar" })
        {
            var path = Path.Combine(_workspace.Temporary, "bundle.tgz");
            using var tar = Process.Start("tar", ["czf", path, $"--format={format}", "--owner=0", "--group=0", "-C", _workspace.Work, "."]);
            await tar.WaitForExitAsync(Cancellation);
            Assert.Equal(0, tar.ExitCode);

            using var other = new TestWorkspace();
            var (written, left) = await UnpackAsync(other, await File.ReadAllBytesAsync(path, Cancellation));

            Assert.Equal((4, 0), (written, left.Count));
            Assert.Equal(_workspace.List(), other.List());
            Assert.Equal("text", other.Read("folder/twin"));
            Assert.Equal("../file", new FileInfo(other.In("folder/sub/link")).LinkTarget);
            File.Delete(path);
        }
    }

    [Fact]
    public async Task ABundle_LiesOverWhatIsThere_AndRemovesNothing()
    {
        _workspace.Write("kept", "kept");
        _workspace.Write("changed", "old");
        _workspace.Write("folder/inside", "kept");
        File.CreateSymbolicLink(_workspace.In("linked"), _workspace.Outside);
        var bundle = new TestBundle()
            .Add("changed", "new")
            .Add("linked/file", "new")
            .Add("folder", "a file where a folder is")
            .Add("././/dotted/x", "new")
            .ToArray();

        var (written, left) = await UnpackAsync(_workspace, bundle);

        Assert.Equal(3, written);
        Assert.Equal(("folder", "There is a folder of this name"), Assert.Single(left.Named));
        Assert.Equal(
            ["kept", "new", "new", "new", "kept"], new[] { "kept", "changed", "linked/file", "dotted/x", "folder/inside" }.Select(_workspace.Read));
        Assert.Equal([$"file={TestWorkspace.Secret}"], _workspace.FilesOutside);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_workspace.Temporary));
    }

    [Fact]
    public async Task LinksThatLeadOut_AreLeftOut_AndOthersAreKept()
    {
        var bundle = new TestBundle()
            .Add(TarEntryType.SymbolicLink, "absolute", "/etc/passwd")
            .Add(TarEntryType.SymbolicLink, "a/up", "../../x")
            .Add(TarEntryType.SymbolicLink, "around", "a/../../x")
            .Add(TarEntryType.SymbolicLink, "inside", "/workspace/../etc")
            .Add(TarEntryType.SymbolicLink, "a/good", "../file")
            .Add(TarEntryType.SymbolicLink, "own", "/workspace/file")
            .ToArray();

        var (written, left) = await UnpackAsync(_workspace, bundle);

        Assert.Equal(2, written);
        Assert.Equal(["absolute", "a/up", "around", "inside"], left.Named.Select(named => named.Path));
    }

    [Theory]
    [InlineData("up")]
    [InlineData("absolute")]
    [InlineData("within")]
    [InlineData("link-then-file")]
    [InlineData("link-then-folder")]
    [InlineData("pipe")]
    [InlineData("device")]
    [InlineData("block-device")]
    [InlineData("hard-link-out")]
    [InlineData("hard-link-absolute")]
    [InlineData("hard-link-to-link")]
    [InlineData("hard-link-to-nothing")]
    [InlineData("sparse")]
    [InlineData("too-deep")]
    [InlineData("long-name")]
    [InlineData("file-then-folder")]
    [InlineData("folder-then-file")]
    [InlineData("names-of-a-gigabyte")]
    [InlineData("names-before-a-link")]
    [InlineData("short")]
    [InlineData("negative")]
    [InlineData("no-archive")]
    public async Task ABundleThatIsNotAsItShouldBe_IsRefused_AndNothingOfItIsWritten(string kind)
    {
        var bundle = new TestBundle().Add("innocent", "x");
        bundle = kind switch
        {
            "up" => bundle.Add("../planted", "x"),
            "absolute" => bundle.Add(_workspace.Outside + "/planted", "x"),
            "within" => bundle.Add("a/../../planted", "x"),
            "link-then-file" => bundle.Add(TarEntryType.SymbolicLink, "link", "a").Add("link/planted", "x"),
            "link-then-folder" => bundle.Add(TarEntryType.SymbolicLink, "link", "a").Add(TarEntryType.Directory, "link/planted"),
            "pipe" => bundle.Add(TarEntryType.Fifo, "pipe"),
            "device" => bundle.Add(TarEntryType.CharacterDevice, "device"),
            "block-device" => bundle.Add(TarEntryType.BlockDevice, "device"),
            "hard-link-out" => bundle.Add(TarEntryType.HardLink, "hard", "../outside/file"),
            "hard-link-absolute" => bundle.Add(TarEntryType.HardLink, "hard", _workspace.Outside + "/file"),
            "hard-link-to-link" => bundle.Add(TarEntryType.SymbolicLink, "link", "innocent").Add(TarEntryType.HardLink, "hard", "link"),
            "hard-link-to-nothing" => bundle.Add(TarEntryType.HardLink, "hard", "nothing"),
            "sparse" => bundle.AddClaim('S', "sparse", 0),
            "too-deep" => bundle.Add(string.Join('/', Enumerable.Repeat("d", 300)), "x"),
            "long-name" => bundle.Add(new string('n', 256), "x"),
            "file-then-folder" => bundle.Add("innocent/x", "x"),
            "folder-then-file" => bundle.Add("folder/x", "x").Add("folder", "x"),
            "names-of-a-gigabyte" => bundle.AddClaim('L', "././@LongLink", 1L << 30),
            "names-before-a-link" => bundle.AddClaim('x', "pax", 1L << 30),
            "short" => bundle.AddClaim('0', "short", 1L << 20),
            "negative" => bundle.AddClaim('x', "pax", 16).AddRaw("16 size=-10000\n\n"u8).AddRaw(new byte[496]).AddClaim('0', "y", 0),
            _ => bundle.AddRaw("not a header"u8).AddRaw(new byte[500]),
        };

        var refused = await Assert.ThrowsAsync<BundleException>(() => UnpackAsync(_workspace, bundle.ToArray()));

        Assert.StartsWith("Invalid bundle: ", refused.Message, StringComparison.Ordinal);
        Assert.Equal([".claude", ".claude/settings.json", "CLAUDE.md"], _workspace.List());
        Assert.Equal([$"file={TestWorkspace.Secret}"], _workspace.FilesOutside);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_workspace.Temporary));
    }

    [Fact]
    public async Task WhatIsNoGzip_OrIsCut_OrIsNothing_IsRefused()
    {
        var whole = new TestBundle().Add("a", new string('x', 100_000)).ToArray();

        Assert.Equal("Empty bundle", await RefusalAsync([]));
        Assert.Equal("Invalid bundle: not a gzip file", await RefusalAsync([0x1f]));
        Assert.Equal("Invalid bundle: not a gzip file", await RefusalAsync("PK and more"u8.ToArray()));
        Assert.StartsWith("Invalid bundle: ", await RefusalAsync([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), StringComparison.Ordinal);
        Assert.StartsWith("Invalid bundle: ", await RefusalAsync(whole[..(whole.Length / 2)]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABombOfBytes_IsRefusedWhileItIsRead()
    {
        var bomb = new TestBundle().Add("zeros", new string('\0', 8 * 1024 * 1024)).ToArray();
        var behindTheEnd = new TestBundle().Add("a", "x").AddRaw(new byte[8 * 1024 * 1024]).ToArray();

        Assert.InRange(bomb.Length, 0, 100_000);
        Assert.Equal("Bundle exceeds maximum size of 1048576 bytes", await RefusalAsync(bomb));
        Assert.Equal("Bundle exceeds maximum size of 1048576 bytes", await RefusalAsync(behindTheEnd));
    }

    [Fact]
    public async Task ABombOfEntries_IsRefusedWhileItIsRead()
    {
        var bomb = new TestBundle();
        for (var i = 0; i < 101; i++)
        {
            bomb.Add(TarEntryType.Directory, $"{i}/");
        }

        Assert.Equal("Bundle has more than 100 entries, or paths that are too long", await RefusalAsync(bomb.ToArray()));
    }

    [Fact]
    public async Task AWorkspaceThatIsTooLarge_DoesNotFitABundle()
    {
        Assert.True(BundlePacking.Fits(_workspace.Files, Small));

        // It takes no room on the disk.
        await using (var sparse = new FileStream(_workspace.In("sparse"), FileMode.Create))
        {
            sparse.SetLength(1L << 40);
        }

        Assert.False(BundlePacking.Fits(_workspace.Files, BundleLimits.Default));
        await Assert.ThrowsAsync<BundleException>(() => PackAsync(_workspace, BundleLimits.Default));
    }

    [Fact]
    public async Task ABundle_IsLaidOverAWorkspaceThatSwapsItsFolders_AndNeverOutsideOfIt()
    {
        Directory.CreateDirectory(_workspace.In("swapped"));
        var bundle = new TestBundle().Add("swapped/a", "x").Add("swapped/sub/b", "x").Add("swapped/file", "planted").ToArray();
        await using (_workspace.Swap("swapped"))
        {
            for (var i = 0; i < 100; i++)
            {
                await UnpackAsync(_workspace, bundle);
                Assert.DoesNotContain(ReadArchive(await PackAsync(_workspace)), entry => entry.Text.Contains(TestWorkspace.Secret, StringComparison.Ordinal));
            }
        }

        Assert.Equal([$"file={TestWorkspace.Secret}"], _workspace.FilesOutside);
    }

    [Fact]
    public async Task FilesThatChangeWhileTheyArePacked_DoNotBreakTheBundle()
    {
        var path = _workspace.In("changing");
        await File.WriteAllBytesAsync(path, new byte[1024 * 1024], Cancellation);
        using var enough = new CancellationTokenSource();
        var changing = Task.Run(() =>
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            while (!enough.IsCancellationRequested)
            {
                file.SetLength(10);
                file.SetLength(2 * 1024 * 1024);
            }
        });

        for (var i = 0; i < 10; i++)
        {
            _workspace.Write("after", "whole");
            Assert.Contains(ReadArchive(await PackAsync(_workspace, BundleLimits.Default)), entry => (entry.Name, entry.Text) == ("after", "whole"));
        }

        await enough.CancelAsync();
        await changing;
    }

    private async Task<string> RefusalAsync(byte[] bundle) =>
        (await Assert.ThrowsAsync<BundleException>(() => UnpackAsync(_workspace, bundle))).Message;

    private static async Task<byte[]> PackAsync(TestWorkspace workspace, BundleLimits? limits = null)
    {
        using var bundle = new MemoryStream();
        await BundlePacking.WriteAsync(workspace.Files, bundle, limits ?? Small, Cancellation);
        return bundle.ToArray();
    }

    private static async Task<(int Written, LeftOut Left)> UnpackAsync(TestWorkspace workspace, byte[] bundle)
    {
        var left = new LeftOut();
        using var staging = workspace.Files.Stage();
        await new BundleUnpacking(staging, workspace.Files.IsReadOnly, Small, left).RunAsync(new MemoryStream(bundle), Cancellation);
        return (workspace.Files.Merge(staging, left), left);
    }

    private static List<(string Name, TarEntryType Type, string Text)> ReadArchive(byte[] bundle)
    {
        List<(string, TarEntryType, string)> entries = [];
        using var gzip = new GZipStream(new MemoryStream(bundle), CompressionMode.Decompress);
        using var archive = new TarReader(gzip);
        while (archive.GetNextEntry() is { } entry)
        {
            entries.Add((entry.Name, entry.EntryType, entry.DataStream is { } data ? new StreamReader(data).ReadToEnd() : string.Empty));
        }

        return entries;
    }
}
