using System.Diagnostics;
using System.Text;
using Ash.Runner.Workspaces;

namespace Ash.Runner.Tests.Workspaces;

/// <summary>A copy of a workspace that a hostile program has filled: all that has a name is there, and nothing from elsewhere.</summary>
public sealed class WorkspaceCopyTests : IDisposable
{
    private const int Uid = 1_700_000_001;
    private const int NewUid = 1_700_000_002;

    private readonly string _folder = Directory.CreateTempSubdirectory("ash-ws-").FullName;
    private readonly WorkspaceStore _store;
    private readonly Workspace _original;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public WorkspaceCopyTests()
    {
        _store = new WorkspaceStore(Path.Combine(_folder, "workspaces"));
        _original = _store.Create("one", Uid, null, copyAll: false);
    }

    public void Dispose()
    {
        // Names that are no UTF-8 are beyond what the framework can remove.
        _store.Remove("one");
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Copy_HoldsWhatTheOriginalHolds_AndBelongsToItsOwnUser()
    {
        Run("""
            mkdir -p work/src/deep work/empty && echo code > work/src/deep/a.c && chmod 750 work/src/deep/a.c
            touch -d '2001-02-03 04:05:06Z' work/src/deep/a.c
            ln -s src/deep/a.c work/link && ln -s /etc/shadow work/out && ln -s nowhere work/dangling
            echo conversation > home/.claude/notes && chmod 600 home/.claude/notes && chmod 4755 work/src/deep/a.c
            """);

        var copy = _store.Copy("two", NewUid, "one", rewritten: null, Cancellation);

        Assert.Equal("code\n", File.ReadAllText(Path.Combine(copy.WorkPath, "src/deep/a.c")));
        Assert.Equal("755 981173106", Stat("%a %Y", Path.Combine(copy.WorkPath, "src/deep/a.c")));
        Assert.True(Directory.Exists(Path.Combine(copy.WorkPath, "empty")));
        Assert.Equal(
            ["src/deep/a.c", "/etc/shadow", "nowhere"],
            new[] { "link", "out", "dangling" }.Select(name => new FileInfo(Path.Combine(copy.WorkPath, name)).LinkTarget));
        Assert.Equal("conversation\n", File.ReadAllText(Path.Combine(copy.HomePath, ".claude/notes")));
        Assert.Equal("600", Stat("%a", Path.Combine(copy.HomePath, ".claude/notes")));
        Assert.All(
            Directory.EnumerateFileSystemEntries(copy.Path, "*", SearchOption.AllDirectories),
            path => Assert.Equal($"{NewUid}:{NewUid}", Stat("%u:%g", path)));
        Assert.Equal("700 0", Stat("%a %u", copy.Path));
    }

    [Fact]
    public void HugeFileThatIsOneHole_CostsNothing()
    {
        Run("""
            truncate -s 1T work/huge && printf begin | dd of=work/huge conv=notrunc status=none
            printf end | dd of=work/huge bs=1 seek=1000000000000 conv=notrunc status=none
            """);

        var copy = _store.Copy("two", NewUid, "one", rewritten: null, Cancellation);

        var huge = Path.Combine(copy.WorkPath, "huge");
        Assert.Equal((1L << 40).ToString(), Stat("%s", huge));
        Assert.InRange(int.Parse(Stat("%b", huge)), 1, 256);
        using var file = File.OpenHandle(huge);
        var bytes = new byte[3];
        Assert.Equal(3, RandomAccess.Read(file, bytes, 1_000_000_000_000));
        Assert.Equal("end", Encoding.ASCII.GetString(bytes));
    }

    [Fact]
    public void WhatIsNoFile_IsLeftOut_AndSoIsWhatHasNoName()
    {
        Run("""
            mkfifo work/pipe && python3 -c "
            import os, socket
            socket.socket(socket.AF_UNIX).bind('work/socket')
            open(b'work/\\xff', 'w').close()" && echo kept > work/kept
            """);

        var copy = _store.Copy("two", NewUid, "one", rewritten: null, Cancellation);

        Assert.Equal(["kept"], Directory.EnumerateFileSystemEntries(copy.WorkPath).Select(Path.GetFileName));
    }

    [Fact]
    public void OneFileOfTheHome_IsRewrittenOnItsWay()
    {
        Run("mkdir home/folder && echo old > home/folder/file && mkdir work/folder && echo old > work/folder/file && chmod 640 home/folder/file");

        var copy = _store.Copy("two", NewUid, "one", new RewrittenFile("folder/file", static (from, to) =>
        {
            Assert.Equal("old\n", new StreamReader(from).ReadToEnd());
            to.Write("new"u8);
        }), Cancellation);

        Assert.Equal("new", File.ReadAllText(Path.Combine(copy.HomePath, "folder/file")));
        Assert.Equal("640", Stat("%a", Path.Combine(copy.HomePath, "folder/file")));
        Assert.Equal("old\n", File.ReadAllText(Path.Combine(copy.WorkPath, "folder/file")));
    }

    [Fact]
    public void CopyThatFails_LeavesNothing()
    {
        Run("echo some > home/file");

        Assert.Throws<IOException>(() => _store.Copy(
            "two", NewUid, "one", new RewrittenFile("file", static (_, _) => throw new IOException("full")), Cancellation));
        Assert.Throws<IOException>(() => _store.Copy("two", NewUid, "none", rewritten: null, Cancellation));

        Assert.Equal(["one"], Directory.EnumerateFileSystemEntries(Path.Combine(_folder, "workspaces")).Select(Path.GetFileName));
    }

    /// <summary>What the processes of a sandbox might have done.</summary>
    private void Run(string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-euc", script]) { WorkingDirectory = _original.Path })!;
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }

    private static string Stat(string format, string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", format, path]) { RedirectStandardOutput = true })!;
        return stat.StandardOutput.ReadToEnd().TrimEnd();
    }
}
