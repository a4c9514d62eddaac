using System.Diagnostics;
using System.Runtime.InteropServices;
using Ash.Runner.Sandboxes;
using Ash.Runner.Workspaces;

namespace Ash.Runner.Tests.Workspaces;

/// <summary>What a hostile program may leave in its folders, or do while they are removed.</summary>
public sealed partial class FolderRemovalTests : IDisposable
{
    private const uint Uid = 1_700_000_002;

    private readonly string _outside = Directory.CreateTempSubdirectory("ash-fr-").FullName;
    private readonly string _root;

    public FolderRemovalTests()
    {
        _root = Directory.CreateDirectory(Path.Combine(_outside, "root")).FullName;
        Directory.CreateDirectory(Path.Combine(_outside, "canaries"));
        File.WriteAllText(Path.Combine(_outside, "canaries", "canary"), "alive");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private bool CanaryLives => File.Exists(Path.Combine(_outside, "canaries", "canary"));

    public void Dispose()
    {
        using var rm = Process.Start("rm", ["-rf", _outside]);
        rm.WaitForExit();
    }

    [Fact]
    public void NamesThatAreNotUtf8_AreRemoved()
    {
        Python("""
            import os
            os.makedirs(b'plain/\xff/\xfe')
            for folder in b'.', b'plain', b'plain/\xff':
                open(folder + b'/\x80 \xff', 'w').close()
                os.symlink(b'/etc/\xff', folder + b'/link-\xff')
                os.mkdir(folder + b'/folder-\xff')
            """);

        FolderRemoval.Remove(_root);

        Assert.False(Directory.Exists(_root));
    }

    [Fact]
    public void NamesOfEveryLength_AndMoreThanAreReadAtOnce_AreRemoved()
    {
        Python("""
            for n in range(1, 256):
                open('a' * n, 'w').close()
            for n in range(1000):
                open(f'{n}', 'w').close()
            """);

        FolderRemoval.Remove(_root);

        Assert.False(Directory.Exists(_root));
    }

    [Theory]
    [InlineData(5_000, 1)]
    [InlineData(100, 10)]
    public void ATreeDeeperThanAnyPath_IsRemoved(int depth, int width)
    {
        Python($"""
            import os
            for i in range({depth}):
                for j in range({width}):
                    os.mkdir(f'folder{'{'}j{'}'}')
                open('file', 'w').close(); os.chdir('folder0')
            """);

        FolderRemoval.Remove(_root);

        Assert.False(Directory.Exists(_root));
        Assert.Empty(DescriptorsBelow(_root));
    }

    [Fact]
    public void Links_AreRemoved_AndLeadNowhere()
    {
        File.CreateSymbolicLink(Path.Combine(_root, "folder"), Path.Combine(_outside, "canaries"));
        File.CreateSymbolicLink(Path.Combine(_root, "file"), Path.Combine(_outside, "canaries", "canary"));
        File.CreateSymbolicLink(Path.Combine(_root, "loop"), "loop");

        FolderRemoval.Remove(_root);

        Assert.False(Directory.Exists(_root));
        Assert.True(CanaryLives);
    }

    [Fact]
    public void WhatIsNoFolder_IsLeftAlone()
    {
        var link = Path.Combine(_outside, "link");
        File.CreateSymbolicLink(link, _root);

        FolderRemoval.Remove(link);
        FolderRemoval.Remove(link + "/");
        FolderRemoval.Remove(Path.Combine(_outside, "canaries", "canary"));
        FolderRemoval.Remove(Path.Combine(_outside, "missing"));
        FolderRemoval.Remove(Path.Combine(_outside, "missing", "missing"));

        Assert.True(Directory.Exists(_root));
        Assert.Equal(_root, new FileInfo(link).LinkTarget);
        Assert.True(CanaryLives);
    }

    [Fact]
    public async Task AFolderThatIsSwappedForALinkMeanwhile_NeverLeadsOut()
    {
        var place = Path.Combine(_root, "place");
        var other = Path.Combine(_root, "other");
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var swapping = Task.Run(
            () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    Swap(place, other);
                }
            },
            Cancellation);

        try
        {
            for (var i = 0; i < 2_000 && CanaryLives; i++)
            {
                if (Directory.CreateDirectory(_root).EnumerateFileSystemInfos().FirstOrDefault() is null)
                {
                    Directory.CreateDirectory(place);
                    File.CreateSymbolicLink(other, Path.Combine(_outside, "canaries"));
                }

                try
                {
                    FolderRemoval.Remove(_root);
                }
                catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
                {
                    // It was in the way at every try.
                }
            }
        }
        finally
        {
            await enough.CancelAsync();
            await swapping;
        }

        Assert.True(CanaryLives);
        FolderRemoval.Remove(_root);
        Assert.False(Directory.Exists(_root));
        Assert.True(CanaryLives);
    }

    [Fact]
    public void AFolderThatIsFilledForEver_IsGivenUp()
    {
        using var filling = Process.Start("python3", ["-c", """
            import os, sys
            n = 0
            while True:
                n += 1
                try: os.mkdir(sys.argv[1] + '/busy'); open(sys.argv[1] + '/go', 'w').close()
                except OSError: pass
                try: open(sys.argv[1] + f'/busy/{n}', 'w').close()
                except OSError: pass
            """, _root]);
        try
        {
            Assert.True(SpinWait.SpinUntil(() => File.Exists(Path.Combine(_root, "go")), TimeSpan.FromSeconds(10)));
            try
            {
                FolderRemoval.Remove(_root);
            }
            catch (IOException failure)
            {
                Assert.Contains(_root, failure.Message);
            }
        }
        finally
        {
            filling.Kill();
            filling.WaitForExit();
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(Uid)]
    public void FoldersThatNobodyMayChange_AreRemoved_AlsoByAServerThatIsNotRoot(uint user)
    {
        Python("""
            import os
            os.makedirs('a/b/c'); os.makedirs('closed/below'); os.makedirs('blind/below')
            for path in 'a/file', 'a/b/file', 'a/b/c/file', 'closed/file', 'blind/below/file':
                open(path, 'w').close(); os.chmod(path, 0o400)
            deep = 'deep' + '/d' * 200
            os.makedirs(deep); open(deep + '/file', 'w').close()
            """);
        using (var chown = Process.Start("chown", ["-R", $"{Uid}:{Uid}", _outside]))
        {
            chown.WaitForExit();
        }

        Python("""
            import os
            for folder, _, _ in os.walk('.', topdown=False):
                os.chmod(folder, 0o555)
            os.chmod('a/b', 0o1555); os.chmod('closed', 0o000); os.chmod('blind', 0o111)
            """);

        As(user, () => FolderRemoval.Remove(_root));

        Assert.False(Directory.Exists(_root));
    }

    [Fact]
    public void FoldersOfOthers_AreAnError_ToAServerThatIsNotRoot()
    {
        HostFiles.GiveTo(_outside, Uid);
        HostFiles.GiveTo(_root, Uid);
        Directory.CreateDirectory(Path.Combine(_root, "others", "below"));

        var failure = Assert.Throws<IOException>(() => As(Uid, () => FolderRemoval.Remove(_root)));

        Assert.Contains(_root, failure.Message);
        Assert.True(Directory.Exists(Path.Combine(_root, "others", "below")));
    }

    /// <summary>What this process holds open there; the link of a removed folder names its old place.</summary>
    private static IEnumerable<string> DescriptorsBelow(string folder) =>
        Directory.EnumerateFileSystemEntries("/proc/self/fd")
            .Select(descriptor => new FileInfo(descriptor).LinkTarget ?? string.Empty)
            .Where(target => target.StartsWith(folder, StringComparison.Ordinal));

    /// <summary>To the file system a thread can be another user than its process, and has that user's rights alone.</summary>
    private static void As(uint user, Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            SetFileSystemUser(user);
            try
            {
                action();
            }
            catch (Exception expected) when (expected is IOException or UnauthorizedAccessException)
            {
                failure = expected;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            throw failure;
        }
    }

    private void Python(string program)
    {
        using var python = Process.Start(new ProcessStartInfo("python3", ["-c", program]) { WorkingDirectory = _root })!;
        python.WaitForExit();
        Assert.Equal(0, python.ExitCode);
    }

    private static void Swap(string one, string other)
    {
        const int CurrentDirectory = -100;
        const uint Exchange = 2;
        Rename(CurrentDirectory, one, CurrentDirectory, other, Exchange);
    }

    [LibraryImport("libc", EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(int oldFolder, string oldPath, int newFolder, string newPath, uint flags);

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileSystemUser(uint user);
}
