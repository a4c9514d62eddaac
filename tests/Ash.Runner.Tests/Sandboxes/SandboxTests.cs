using Ash.Runner.Tests.Testing;

namespace Ash.Runner.Tests.Sandboxes;

public sealed class SandboxTests(RunnerFixture runner)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sandbox_RunsCommands_InItsWorkspace()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.ExecAsync("pwd; id -u; hostname; echo text > file");

        Assert.Equal(["/workspace", "1000", "sandbox"], result.Lines);
        Assert.Equal("text\n", await File.ReadAllTextAsync(Path.Combine(sandbox.Spec.WorkspacePath, "file"), Cancellation));
    }
}
