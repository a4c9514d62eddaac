using System.Diagnostics;
using Ash.Runner.Workspaces;

namespace Ash.Runner.Tests.Workspaces;

public sealed class ConfinedFilesTests : IDisposable
{
    private readonly string _outside = Directory.CreateTempSubdirectory("ash-cf-").FullName;
    private readonly string _root;

    public ConfinedFilesTests()
    {
        _root = Directory.CreateDirectory(Path.Combine(_outside, "root")).FullName;
        Directory.CreateDirectory(Path.Combine(_root, "a", "b"));
        File.WriteAllText(Path.Combine(_root, "a", "b", "file"), "inside");
        File.WriteAllText(Path.Combine(_outside, "secret"), "secret");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_outside, recursive: true);

    [Fact]
    public async Task AFile_IsOpened_WithItsLength()
    {
        using var file = ConfinedFiles.OpenRead(_root, "a/b/file");

        Assert.Equal("inside", await new StreamReader(file!).ReadToEndAsync(Cancellation));
        Assert.Equal(6, ConfinedFiles.LengthOf(_root, "a/b/file"));
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
        File.CreateSymbolicLink(Path.Combine(_root, "to-file"), Path.Combine(_outside, "secret"));
        File.CreateSymbolicLink(Path.Combine(_root, "to-folder"), _outside);
        File.CreateSymbolicLink(Path.Combine(_root, "inner"), "a/b");
        File.CreateSymbolicLink(Path.Combine(_root, "loop"), "loop");
        using (var mkfifo = Process.Start("mkfifo", Path.Combine(_root, "pipe")))
        {
            mkfifo.WaitForExit();
        }

        Assert.Null(ConfinedFiles.OpenRead(_root, relative));
        Assert.Null(ConfinedFiles.LengthOf(_root, relative));
    }

    [Fact]
    public void ALinkAsRoot_IsNotFollowed()
    {
        var link = Path.Combine(_outside, "link");
        File.CreateSymbolicLink(link, _root);

        Assert.Null(ConfinedFiles.OpenRead(link, "a/b/file"));
    }

    [Fact]
    public async Task AFolderThatIsSwappedForALinkMeanwhile_NeverLeadsOut()
    {
        Directory.CreateDirectory(Path.Combine(_outside, "evil"));
        await File.WriteAllTextAsync(Path.Combine(_outside, "evil", "file"), "secret", Cancellation);
        var place = Path.Combine(_root, "swapped");
        Directory.CreateDirectory(place);
        await File.WriteAllTextAsync(Path.Combine(place, "file"), "inside", Cancellation);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var swapping = Task.Run(
            () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    Directory.Move(place, place + "-away");
                    File.CreateSymbolicLink(place, Path.Combine(_outside, "evil"));
                    File.Delete(place);
                    Directory.Move(place + "-away", place);
                }
            },
            Cancellation);

        var seen = new HashSet<string>();
        for (var i = 0; i < 20_000; i++)
        {
            using var file = ConfinedFiles.OpenRead(_root, "swapped/file");
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
