using System.Diagnostics;
using Ash.Runner.Workspaces;

namespace Ash.Runner.Tests.Workspaces;

public sealed class ConfinedFilesTests : IDisposable
{
    private readonly string outside = Directory.CreateTempSubdirectory("ash-cf-").FullName;
    private readonly string root;

    public ConfinedFilesTests()
    {
        root = Directory.CreateDirectory(Path.Combine(outside, "root")).FullName;
        Directory.CreateDirectory(Path.Combine(root, "a", "b"));
        File.WriteAllText(Path.Combine(root, "a", "b", "file"), "inside");
        File.WriteAllText(Path.Combine(outside, "secret"), "secret");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(outside, recursive: true);

    [Fact]
    public async Task AFile_IsOpened_WithItsLength()
    {
        using var file = ConfinedFiles.OpenRead(root, "a/b/file");

        Assert.Equal("inside", await new StreamReader(file!).ReadToEndAsync(Cancellation));
        Assert.Equal(6, ConfinedFiles.LengthOf(root, "a/b/file"));
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("a")]
    [InlineData("a/b/file/below")]
    [InlineData("../secret")]
    [InlineData("a/../../secret")]
    [InlineData("/etc/passwd")]
    [InlineData("to-file")]
    [InlineData("to-folder/secret")]
    [InlineData("inner/file")]
    [InlineData("pipe")]
    [InlineData("loop")]
    public void WhateverIsNoPlainFileBelow_IsNotThere(string relative)
    {
        File.CreateSymbolicLink(Path.Combine(root, "to-file"), Path.Combine(outside, "secret"));
        File.CreateSymbolicLink(Path.Combine(root, "to-folder"), outside);
        File.CreateSymbolicLink(Path.Combine(root, "inner"), "a/b");
        File.CreateSymbolicLink(Path.Combine(root, "loop"), "loop");
        using (var mkfifo = Process.Start("mkfifo", Path.Combine(root, "pipe")))
        {
            mkfifo.WaitForExit();
        }

        Assert.Null(ConfinedFiles.OpenRead(root, relative));
        Assert.Null(ConfinedFiles.LengthOf(root, relative));
    }

    [Fact]
    public void ALinkAsRoot_IsNotFollowed()
    {
        var link = Path.Combine(outside, "link");
        File.CreateSymbolicLink(link, root);

        Assert.Null(ConfinedFiles.OpenRead(link, "a/b/file"));
    }

    [Fact]
    public async Task AFolderThatIsSwappedForALinkMeanwhile_NeverLeadsOut()
    {
        Directory.CreateDirectory(Path.Combine(outside, "evil"));
        await File.WriteAllTextAsync(Path.Combine(outside, "evil", "file"), "secret", Cancellation);
        var place = Path.Combine(root, "swapped");
        Directory.CreateDirectory(place);
        await File.WriteAllTextAsync(Path.Combine(place, "file"), "inside", Cancellation);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var swapping = Task.Run(
            () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    Directory.Move(place, place + "-away");
                    File.CreateSymbolicLink(place, Path.Combine(outside, "evil"));
                    File.Delete(place);
                    Directory.Move(place + "-away", place);
                }
            },
            Cancellation);

        var seen = new HashSet<string>();
        for (var i = 0; i < 20_000; i++)
        {
            using var file = ConfinedFiles.OpenRead(root, "swapped/file");
            if (file is not null)
            {
                seen.Add(await new StreamReader(file).ReadToEndAsync(Cancellation));
            }
        }

        await enough.CancelAsync();
        await swapping;
        Assert.Equal(["inside"], seen);
    }
}
