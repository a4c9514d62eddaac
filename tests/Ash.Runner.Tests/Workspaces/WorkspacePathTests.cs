using Ash.Runner.Workspaces;

namespace Ash.Runner.Tests.Workspaces;

public sealed class WorkspacePathTests
{
    [Theory]
    [InlineData("a/b.txt", "a/b.txt")]
    [InlineData("./a//b.txt", "a/b.txt")]
    [InlineData("a..b.txt", "a..b.txt")]
    [InlineData("..a/...", "..a/...")]
    [InlineData(".", "")]
    [InlineData("", "")]
    [InlineData("back\\slash", "back\\slash")]
    public void APathThatGoesDown_IsMadeNormal(string path, string normal) => Assert.Equal(normal, WorkspacePath.Normalize(path));

    [Theory]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("a/..")]
    [InlineData("/a")]
    [InlineData("a\0b")]
    public void APathThatLeadsOut_IsNone(string path) => Assert.Null(WorkspacePath.Normalize(path));

    [Fact]
    public void APath_IsAsLongAndAsDeepAsTheKernelTakesIt()
    {
        Assert.NotNull(WorkspacePath.Normalize(new string('a', 255)));
        Assert.Null(WorkspacePath.Normalize(new string('a', 256)));
        Assert.Null(WorkspacePath.Normalize(new string('ä', 128)));
        Assert.NotNull(WorkspacePath.Normalize(string.Join('/', Enumerable.Repeat("d", WorkspacePath.MaxDepth))));
        Assert.Null(WorkspacePath.Normalize(string.Join('/', Enumerable.Repeat("d", WorkspacePath.MaxDepth + 1))));
        Assert.Null(WorkspacePath.Normalize(string.Join('/', Enumerable.Repeat(new string('a', 200), 30))));
    }
}
