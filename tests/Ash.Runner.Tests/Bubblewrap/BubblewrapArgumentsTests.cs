using Ash.Runner.Bubblewrap;
using Ash.Runner.Sandboxes;

namespace Ash.Runner.Tests.Bubblewrap;

/// <summary>The argument list is the security policy: a change of it is a change of <c>arguments.txt</c>, to be reviewed as such.</summary>
public sealed class BubblewrapArgumentsTests
{
    private static readonly SandboxProfile Profile = new()
    {
        Root = new HostRoot(
            Links: [new("bin", "usr/bin"), new("lib64", "usr/lib64")],
            Folders: ["lib"],
            Shared: ["/etc/ssl/certs", "/etc/ld.so.cache"],
            GlobalProc: ["/proc/sys", "/proc/sysrq-trigger"]),
        Limits = new SandboxLimits(MemoryMb: 2048),
        Etc = "/mnt/etc",
        Workspace = "/mnt/workspace",
        Home = "/mnt/home",
        Run = "/mnt/run",
        Cli = "/mnt/claude",
        Bridge = "/mnt/ash-bridge",
        Content = new AgentContent("/mnt/CLAUDE.md", "/mnt/.claude", "/mnt/.mcp.json"),
    };

    [Fact]
    public void Arguments_AreThePolicyThatWasReviewed()
    {
        var expected = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Bubblewrap", "arguments.txt"));

        Assert.Equal(expected, Render(Profile));
    }

    [Fact]
    public void Content_IsNotMounted_WhenTheAgentOptedOut()
    {
        var text = Render(Profile with { Content = null });

        Assert.DoesNotContain("CLAUDE.md", text);
        Assert.DoesNotContain(".mcp.json", text);
        Assert.DoesNotContain("/workspace/.claude", text);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(2048)]
    [InlineData(65536)]
    public void TemporaryFolders_TogetherStayBelowTheMemoryLimit(int memoryMb)
    {
        var sizes = BubblewrapArguments.Of(Profile with { Limits = new SandboxLimits(memoryMb) })
            .Where(option => option[0] == "--size")
            .Select(option => long.Parse(option[1]))
            .ToList();

        Assert.Equal(2, sizes.Count);
        Assert.InRange(sizes.Sum(), 1, memoryMb * 1024L * 1024L / 2);
    }

    [Fact]
    public void EveryTmpfs_HasASizeAndAMode()
    {
        var options = BubblewrapArguments.Of(Profile);
        for (var i = 0; i < options.Count; i++)
        {
            if (options[i][0] == "--tmpfs")
            {
                Assert.Equal("--size", options[i - 1][0]);
                Assert.Equal("--perms", options[i - 2][0]);
            }
        }
    }

    private static string Render(SandboxProfile of) =>
        string.Concat(BubblewrapArguments.Of(of).Select(option => string.Join(' ', option) + "\n"));
}
