using System.Diagnostics;
using System.Globalization;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Tests.Sandboxes;

public sealed class FirstProcessTests(PublishedBridge bridge) : SandboxTests(bridge)
{
    [Fact]
    public async Task Bridge_CannotBeKilledFromInside_ByAnySignal()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        // Beside it processes start and end all the time.
        Assert.True((await server.AskAsync(new Exec("attack", "for round in $(seq 300); do for signal in $(seq 64); do kill -$signal 1; done; done 2>/dev/null; echo over", 25_000))).Ok);
        for (var i = 0; ; i++)
        {
            await server.SendAsync(new Exec($"beside {i}", "true", 10_000));
            if (await server.UntilAsync<ExecExited>() is { Header: ExecExited { Id: "attack" } ended })
            {
                Assert.Equal(0, ended.Code);
                break;
            }
        }

        Assert.True((await server.AskAsync(new KillExec("alive", "nothing"))).Ok);
    }

    [Fact]
    public async Task Bridge_IgnoresEverySignal_ButThoseItCannotDoWithout()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();

        var ignored = Convert.ToUInt64(sandbox.HostStatus("SigIgn").Single(), 16);

        Assert.Equal([9, 17, 19, 33, 34], Enumerable.Range(1, 64).Where(signal => (ignored >> (signal - 1) & 1) == 0));
    }

    [Fact]
    public async Task KillOfEverythingFromInside_IsTheEndOfTheCommand_NotOfTheBridge()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);
        await server.AskAsync(Script("start", "sleep 1000"));

        await server.SendAsync(new Exec("attack", "kill -9 -1; kill -9 $$", 10_000));
        var frames = await server.AllUntilAsync<CliExited>();

        Assert.Equal(new CliExited(1, Signal: 9), frames[^1].Header with { Number = 0 });
        Assert.True((await server.AskAsync(new KillExec("alive", "nothing"))).Ok);
    }

    [Fact]
    public async Task Bridge_CannotBeLookedInto_FromInside()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(new Exec("look", "for file in mem environ maps; do (exec 3</proc/1/$file) 2>/dev/null && echo open; (exec 3>/proc/1/$file) 2>/dev/null && echo writable; done; ls /proc/1/fd /proc/1/root; echo over", 10_000));
        var output = string.Concat((await server.AllUntilAsync<ExecExited>()).Where(f => f.Header is ExecOutput { Stream: "stdout" }).Select(f => f.Text));

        Assert.Equal("over\n", output);
    }

    [Fact]
    public async Task Bridge_HasFewThreads_AndLetsGoOfItsLog_OnceItHasSaidHello()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        Assert.InRange(Directory.GetDirectories($"/proc/{sandbox.BridgePid}/task").Length, 1, 5);
        Assert.All(
            Enumerable.Range(0, 3),
            stream => Assert.Equal("/dev/null", File.ResolveLinkTarget($"/proc/{sandbox.BridgePid}/fd/{stream}", returnFinalTarget: false)?.FullName));
        Assert.Equal("", await File.ReadAllTextAsync(Path.Combine(sandbox.Folder, "log"), Deadline.Token));
    }

    [Fact]
    public async Task Orphans_AreCollected()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(new Exec("leave", "for i in $(seq 50); do (setsid true &) ; done", 10_000));
        await server.UntilAsync<ExecExited>();

        await server.SendAsync(new Exec("look", "while grep -q '^State:.Z' /proc/[0-9]*/status 2>/dev/null; do sleep 0.01; done; echo collected", 10_000));
        Assert.Equal("collected\n", (await server.UntilAsync<ExecOutput>()).Text);
    }

    [Fact]
    public async Task Shutdown_EndsEverything_AndIsAnswered()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);
        await server.AskAsync(Script("start", "(setsid sleep 1000 &); sleep 1000"));

        Assert.True((await server.AskAsync(new Shutdown("end"))).Ok);

        Assert.Equal(0, await sandbox.WaitForEndAsync());
        Assert.False(Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{sandbox.BridgePid}/task")));
    }

    [Fact]
    public async Task Bridge_EndsItself_WhenNoServerComesForTooLong()
    {
        await using var sandbox = await StartAsync("--orphan-timeout", "0.5");
        using (var server = await sandbox.WelcomeAsync())
        {
            await ConfigureAsync(server);
            await server.AskAsync(Script("start", "(setsid sleep 1000 &); sleep 1000"));
            sandbox.StopListening();
        }

        Assert.Equal(3, await sandbox.WaitForEndAsync());
    }

    [Fact]
    public async Task Bridge_RefusesToRun_OutsideASandbox()
    {
        using var process = Process.Start(new ProcessStartInfo(Bridge.Path, ["run"]) { RedirectStandardError = true })
            ?? throw new InvalidOperationException("The bridge did not start.");

        Assert.Equal("ash-bridge: run is for pid 1 of a sandbox, and for nobody else\n", await process.StandardError.ReadToEndAsync(Deadline.Token));
        await process.WaitForExitAsync(Deadline.Token);
        Assert.Equal(64, process.ExitCode);
    }

    [Fact]
    public async Task Bridge_GoesOnWithoutRelay_WhereItCannotListen_AndSaysSo()
    {
        await using var sandbox = await StartAsync("--relay-port", "1");
        using var server = await sandbox.WelcomeAsync();

        await ConfigureAsync(server);

        Assert.Equal("ash-bridge: no relay on 127.0.0.1:1: Permission denied\n", await File.ReadAllTextAsync(Path.Combine(sandbox.Folder, "log"), Deadline.Token));
    }

    [Fact]
    public async Task Relay_JoinsLoopbackToTheBroker_EachDirectionEndingByItself()
    {
        await using var sandbox = await StartAsync();
        using var broker = TestSandbox.Listen(sandbox.BrokerSocket);
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        const string Client =
            "use Socket; socket($s, PF_INET, SOCK_STREAM, 0); connect($s, sockaddr_in(4180, inet_aton(\"127.0.0.1\"))) or die;"
            + "syswrite($s, \"x\" x 3000000) == 3000000 or die; shutdown($s, 1); while (sysread($s, $b, 65536)) { print $b }";
        await server.SendAsync(new Exec("client", $"perl -e '{Client}'", 20_000));

        using var connection = await broker.AcceptAsync(Deadline.Token);
        var buffer = new byte[100_000];
        var received = 0;
        for (var count = -1; count != 0; received += count)
        {
            count = await connection.ReceiveAsync(buffer, Deadline.Token);
        }

        Assert.Equal(3_000_000, received);
        await connection.SendAsync("whole"u8.ToArray(), Deadline.Token);
        connection.Close();
        var frames = await server.AllUntilAsync<ExecExited>();
        Assert.Equal("whole", string.Concat(frames.Where(f => f.Header is ExecOutput).Select(f => f.Text)));
        Assert.Equal(0, ((ExecExited)frames[^1].Header).Code);
    }
}
