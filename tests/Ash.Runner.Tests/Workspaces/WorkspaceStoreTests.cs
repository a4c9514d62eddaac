using System.Diagnostics;
using Ash.Runner.Workspaces;

namespace Ash.Runner.Tests.Workspaces;

public sealed class WorkspaceStoreTests : IDisposable
{
    private const int Uid = 1_700_000_001;

    private readonly string folder = Directory.CreateTempSubdirectory("ash-ws-").FullName;
    private readonly WorkspaceStore store;
    private readonly string content;

    public WorkspaceStoreTests()
    {
        store = new WorkspaceStore(Path.Combine(folder, "workspaces"));
        content = Path.Combine(folder, "content");
        Directory.CreateDirectory(Path.Combine(content, ".claude", "skills"));
        Directory.CreateDirectory(Path.Combine(content, "tools"));
        File.WriteAllText(Path.Combine(content, "CLAUDE.md"), "instructions");
        File.WriteAllText(Path.Combine(content, ".mcp.json"), "{}");
        File.WriteAllText(Path.Combine(content, "tools", "run.sh"), "#!/bin/sh");
        File.SetUnixFileMode(Path.Combine(content, "tools", "run.sh"), (UnixFileMode)0b100_111_101_101);
        File.WriteAllText(Path.Combine(content, "data"), "data");
        File.CreateSymbolicLink(Path.Combine(content, "link"), "/etc/shadow");
        File.CreateSymbolicLink(Path.Combine(content, "tools", "folder"), "/etc");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void AWorkspace_HoldsTheAgentsOtherFiles_AndBelongsToItsUser()
    {
        var workspace = store.Create("one", Uid, content, copyAll: false);

        Assert.Equal(["data", "tools"], Names(workspace.WorkPath));
        Assert.Equal(["run.sh"], Names(Path.Combine(workspace.WorkPath, "tools")));
        Assert.Equal("755", Stat("%a", Path.Combine(workspace.WorkPath, "tools", "run.sh")));
        Assert.Equal("644", Stat("%a", Path.Combine(workspace.WorkPath, "data")));
        Assert.Equal(
            Enumerable.Repeat($"{Uid}:{Uid}", 7),
            Directory.EnumerateFileSystemEntries(workspace.Path, "*", SearchOption.AllDirectories).Select(path => Stat("%u:%g", path)));
        Assert.Equal("700 0", Stat("%a %u", workspace.Path));
        Assert.Equal("700", Stat("%a", workspace.WorkPath));
    }

    [Fact]
    public void AWorkspace_HoldsEverything_WhenTheAgentOptedOut()
    {
        var workspace = store.Create("one", Uid, content, copyAll: true);

        Assert.Equal([".claude", ".mcp.json", "CLAUDE.md", "data", "tools"], Names(workspace.WorkPath));
    }

    [Fact]
    public void AWorkspace_ThatWasLeftHalfMade_IsNone()
    {
        var left = Path.Combine(folder, "workspaces", "one.new", "work");
        Directory.CreateDirectory(left);
        File.WriteAllText(Path.Combine(left, "half"), "");
        Assert.False(store.Exists("one"));

        var workspace = store.Create("one", Uid, content, copyAll: false);
        Assert.Equal(["data", "tools"], Names(workspace.WorkPath));

        Directory.CreateDirectory(left);
        store.Remove("one");
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(folder, "workspaces")));
    }

    [Fact]
    public void TheHome_TrustsTheWorkspace()
    {
        var workspace = store.Create("one", Uid, null, copyAll: false);

        Assert.Equal(
            """{"hasCompletedOnboarding":true,"projects":{"/workspace":{"hasTrustDialogAccepted":true}}}""",
            File.ReadAllText(Path.Combine(workspace.HomePath, ".claude", ".claude.json")));
    }

    [Fact]
    public void Removal_FollowsNoLink_AndIsHarmlessWhenRepeated()
    {
        var workspace = store.Create("one", Uid, null, copyAll: false);
        File.CreateSymbolicLink(Path.Combine(workspace.WorkPath, "out"), content);

        store.Remove("one");
        store.Remove("one");

        Assert.False(store.Exists("one"));
        Assert.True(File.Exists(Path.Combine(content, "data")));
    }

    [Fact]
    public void Removal_TakesEverythingAlong_WhateverItIsCalled()
    {
        var workspace = store.Create("odd", Uid, null, copyAll: false);
        using (var python = Process.Start(new ProcessStartInfo("python3", ["-c", """
            import os
            for folder in b'work', b'home':
                os.makedirs(folder + b'/\xff/\xfe'); os.mkdir(folder + b'/folder')
                for below in b'/', b'/folder/', b'/\xff/\xfe/':
                    open(folder + below + b'\x80', 'w').close(); os.symlink('/etc', folder + below + b'\xc3'); os.mkfifo(folder + below + b'pipe')
            """]) { WorkingDirectory = workspace.Path })!)
        {
            python.WaitForExit();
            Assert.Equal(0, python.ExitCode);
        }

        store.Remove("odd");

        Assert.False(store.Exists("odd"));
        Assert.True(Directory.Exists("/etc"));
    }

    [Fact]
    public void AFailedCreation_LeavesNothing()
    {
        Assert.ThrowsAny<IOException>(() => store.Create("one", Uid, Path.Combine(folder, "nowhere"), copyAll: false));

        Assert.False(store.Exists("one"));
    }

    [Fact]
    public void AWorkspaceThatExists_IsNotOverwritten()
    {
        var workspace = store.Create("one", Uid, null, copyAll: false);
        File.WriteAllText(Path.Combine(workspace.WorkPath, "mine"), "mine");

        Assert.Throws<IOException>(() => store.Create("one", Uid, content, copyAll: false));

        Assert.Equal(["mine"], Names(workspace.WorkPath));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    public void AnIdThatCouldBeAPath_IsRefused(string id) =>
        Assert.Throws<ArgumentException>(() => store.Create(id, Uid, null, copyAll: false));

    [Fact]
    public void HostUserZero_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => store.Create("one", 0, null, copyAll: false));

    private static IEnumerable<string> Names(string path) =>
        Directory.EnumerateFileSystemEntries(path).Select(entry => Path.GetFileName(entry)!).Order(StringComparer.Ordinal);

    private static string Stat(string format, string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", format, path]) { RedirectStandardOutput = true })!;
        return stat.StandardOutput.ReadToEnd().Trim();
    }
}
