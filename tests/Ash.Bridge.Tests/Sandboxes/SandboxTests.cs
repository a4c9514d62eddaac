using Ash.Protocol.Bridge;

namespace Ash.Bridge.Tests.Sandboxes;

/// <summary>What the tests with a real sandbox share. They need root and bubblewrap.</summary>
public abstract class SandboxTests(PublishedBridge bridge)
{
    private protected PublishedBridge Bridge => bridge;

    private protected static Dictionary<string, string> Environment { get; } = new() { ["PATH"] = "/usr/bin:/bin", ["LANG"] = "C" };

    private protected async Task<TestSandbox> StartAsync(params string[] options)
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess && File.Exists("/usr/bin/bwrap"), "Needs root and bubblewrap.");
        return await TestSandbox.StartAsync(bridge, options);
    }

    /// <summary>A CLI that is a shell script.</summary>
    private protected static StartCli Script(string id, string script) => new(id, ["/bin/sh", "-c", script]);

    private protected static async Task ConfigureAsync(Conversation server) =>
        Assert.True((await server.AskAsync(new Configure("configure", Environment))).Ok);
}
