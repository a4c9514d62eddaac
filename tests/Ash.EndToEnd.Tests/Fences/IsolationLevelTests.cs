using System.Diagnostics;
using Ash.Client.Events;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Fences;

/// <summary>Weaker isolation is only ever chosen, and said wherever it matters.</summary>
[Collection(FenceTests.Name)]
public sealed class IsolationLevelTests
{
    [Fact(Timeout = 120_000)]
    public async Task ReducedIsolation_IsSaid_ByServerSessionAndLog_AndKeepsTheOtherFences()
    {
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_ISOLATION"] = "reduced" },
        });
        var session = await server.CreateSessionAsync();
        var turn = await server.SendAsync(session.Id, "hello");
        var status = await server.ShellAsync(session.Id, "grep -hE '^(CapEff|NoNewPrivs|Seccomp):' /proc/1/status /proc/self/status | cut -f2 | sort -u | tr '\\n' ' '; ls /proc/sys/kernel >/dev/null; tail -n +3 /proc/net/dev | cut -d: -f1");

        Assert.Equal("completed", turn.Reason);
        Assert.Equal("reduced", session.Isolation);
        Assert.Contains(
            (await server.ReadLogAsync(session.Id)).Select(e => e.Body).OfType<Lifecycle>(),
            body => body.Type == "sandbox.started" && body.Fact.GetProperty("isolation").GetString() == "reduced");
        await server.WaitForOutputAsync("Warning: isolation is reduced; sandboxes have no limits of memory, cores and processes (unset ASH_ISOLATION");
        Assert.Equal(["0000000000000000 1 2     lo"], Inside.Lines(status));
    }

    [Fact(Timeout = 60_000)]
    public async Task AServerThatIsNotRoot_DoesNotStart_AndNamesLayerAndRemedy()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can be somebody else.");
        var data = Directory.CreateTempSubdirectory("ash-nobody-").FullName;
        File.SetUnixFileMode(data, (UnixFileMode)0b111_111_111);
        try
        {
            // The repository may lie in a folder of root's own.
            CopyFolder(Path.GetDirectoryName(TestPaths.Server)!, Path.Combine(data, "server"));
            var start = new ProcessStartInfo(
                "setpriv",
                ["--reuid=65534", "--regid=65534", "--clear-groups", Path.Combine(data, "server", "ash-server"), "--port", $"{AshServer.FreePort()}", "--data-dir", Path.Combine(data, "data")])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            start.Environment["ASH_BRIDGE_ENTRY"] = TestPaths.Bridge;
            using var server = Process.Start(start)!; // A program is named.
            var said = await server.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await server.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.Equal(1, server.ExitCode);
            Assert.Contains(
                "ash-server: user: the server is not root, so sandboxes cannot run as users of their own. Run it as root, or accept less with ASH_ISOLATION=reduced.",
                said,
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}
