using Ash.Protocol.Bridge;

namespace Ash.Bridge.Tests.Sandboxes;

public sealed class TaskLimitTests(PublishedBridge bridge) : SandboxTests(bridge)
{
    private const string Controller = "/sys/fs/cgroup/pids";

    [Fact]
    public async Task Bridge_AnswersAndCleansUp_WhereNoTaskCanBeMadeAnyMore()
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess && File.Exists($"{Controller}/tasks"), "Needs root and the v1 pids controller.");
        var cgroup = Directory.CreateDirectory($"{Controller}/ash-bridge-tests-{System.Environment.ProcessId}").FullName;
        try
        {
            await File.WriteAllTextAsync($"{cgroup}/pids.max", "30", Deadline.Token);
            await UseUpTasksAsync($"{cgroup}/tasks");
        }
        finally
        {
            Directory.Delete(cgroup);
        }
    }

    private async Task UseUpTasksAsync(string tasks)
    {
        await using var sandbox = await TestSandbox.StartAsync(Bridge, [tasks], []);
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);
        await server.AskAsync(Script("start", "exec sleep 1000"));

        var done = new CommandDone("", Ok: true);
        for (var i = 0; done.Ok; i++)
        {
            done = await server.AskAsync(new Exec($"e{i}", "exec sleep 1000", 100_000));
        }

        Assert.Equal("Resource temporarily unavailable", done.Error);
        Assert.True((await server.AskAsync(new Configure("again", Environment))).Ok);
        Assert.True((await server.AskAsync(new KillCli("kill"))).Ok);
        await server.UntilAsync<CliExited>();
        Assert.True((await server.AskAsync(Script("next", "sleep 1000"))).Ok);
        Assert.True((await server.AskAsync(new Shutdown("end"))).Ok);
        await sandbox.WaitForEndAsync();
    }
}
