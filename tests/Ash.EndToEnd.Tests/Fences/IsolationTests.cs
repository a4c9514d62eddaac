using Ash.Testing;

namespace Ash.EndToEnd.Tests.Fences;

/// <summary>What a session's sandbox is fenced by, as the agent's own tools and the user's commands find it.</summary>
[Collection(FenceTests.Name)]
public sealed class IsolationTests(FenceTests.Fixture fixture)
{
    private AshServer Server => fixture.Server;

    [Fact(Timeout = 60_000)]
    public async Task EveryProcess_HasNoCapability_ACallFilter_AndNoWayToMore()
    {
        var session = await Server.CreateSessionAsync();
        const string Look =
            "cat /proc/[0-9]*/comm | sort -u | tr '\\n' ' '; echo; cat /proc/[0-9]*/status | grep -E '^(Cap|NoNewPrivs|Seccomp:)' | sort -u | tr '\\t' ' '";
        string[] fences =
        [
            "CapAmb: 0000000000000000", "CapBnd: 0000000000000000", "CapEff: 0000000000000000", "CapInh: 0000000000000000",
            "CapPrm: 0000000000000000", "NoNewPrivs: 1", "Seccomp: 2",
        ];

        var tool = Inside.Lines(await Server.BashAsync(session.Id, Look));
        var exec = Inside.Lines(await Server.ShellAsync(session.Id, Look));

        foreach (var seen in new[] { tool, exec })
        {
            Assert.Contains("ash-bridge", seen[0], StringComparison.Ordinal);
            Assert.Contains("claude", seen[0], StringComparison.Ordinal);
            Assert.Equal(fences, seen[1..]);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task NoProcess_IsTheHostsRoot_AndEachSessionHasAUserOfItsOwn()
    {
        var sessions = new[] { await Server.CreateSessionAsync(), await Server.CreateSessionAsync() };
        foreach (var session in sessions)
        {
            await Server.SendAsync(session.Id, "hello");
            await Server.ExecAsync(session.Id, """setsid sleep 1000 >/dev/null 2>&1 & until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done""");
        }

        var users = sessions.Select(session => Server.ProcessesOf(session.Id).Select(process => process.Uid).Distinct().Single()).ToList();

        Assert.All(Server.Processes(), process => Assert.NotEqual(0, process.Uid));
        Assert.All(sessions, session => Assert.Contains(Server.ProcessesOf(session.Id), process => process.Name == "sleep"));
        Assert.NotEqual(users[0], users[1]);
        Assert.All(users, user => Assert.True(user >= 1_900_000_000));
    }

    [Fact(Timeout = 60_000)]
    public async Task Network_IsLoopbackAlone()
    {
        var session = await Server.CreateSessionAsync();

        var result = await Server.PythonAsync(session.Id, $$"""
            import errno, socket
            print(','.join(line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]))
            def attempt(family, kind, *address):
                s = socket.socket(family, kind); s.settimeout(5)
                try:
                    s.connect(address)
                    if kind == socket.SOCK_DGRAM: s.send(b'x')
                    print(address[0], 'REACHED')
                except OSError as e: print(address[0], errno.errorcode.get(e.errno, e))
            for address in (('1.1.1.1', 443), ('169.254.169.254', 80), ('10.0.0.1', 22), ('127.0.0.1', {{Server.Port}}), ('127.0.0.1', {{Server.Model.BaseAddress.Port}})):
                attempt(socket.AF_INET, socket.SOCK_STREAM, *address)
            attempt(socket.AF_INET, socket.SOCK_DGRAM, '8.8.8.8', 53)
            attempt(socket.AF_INET6, socket.SOCK_STREAM, '2606:4700:4700::1111', 443)
            attempt(socket.AF_INET6, socket.SOCK_STREAM, 'fd00:ec2::254', 80)
            for name in ('example.com', 'metadata.google.internal', 'broker.invalid'):
                try: print(name, socket.getaddrinfo(name, 80))
                except socket.gaierror: print(name, 'UNKNOWN')
            for kind in (socket.SOCK_RAW,):
                try: socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP); print('raw', 'MADE')
                except OSError as e: print('raw', errno.errorcode[e.errno])
            """);

        Assert.Equal(
            [
                "lo", "1.1.1.1 ENETUNREACH", "169.254.169.254 ENETUNREACH", "10.0.0.1 ENETUNREACH", "127.0.0.1 ECONNREFUSED",
                "127.0.0.1 ECONNREFUSED", "8.8.8.8 ENETUNREACH", "2606:4700:4700::1111 ENETUNREACH", "fd00:ec2::254 ENETUNREACH",
                "example.com UNKNOWN", "metadata.google.internal UNKNOWN", "broker.invalid UNKNOWN", "raw EPERM",
            ],
            Inside.Lines(result).Select(line => line.Replace("EADDRNOTAVAIL", "ENETUNREACH", StringComparison.Ordinal)));
    }

    [Fact(Timeout = 60_000)]
    public async Task TheHostsFiles_AreNeitherReadableNorListable()
    {
        var canary = Path.Combine(Server.DataDirectory, "canary.txt");
        await File.WriteAllTextAsync(canary, "host-file-canary", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(canary, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        var session = await Server.CreateSessionAsync();
        var look = $"""
            ls / | tr '\n' ' '; echo
            for path in {canary} {Server.DataDirectory} {Server.DataDirectory}/ash.db /root /root/.ssh /etc/shadow /etc/machine-id /mnt /proc/1/root/root /var/log /var/lib; do
              cat $path 2>/dev/null; ls -d $path 2>/dev/null
            done
            ls /home /run /etc
            """;

        var exec = await Server.ShellAsync(session.Id, look);
        var tool = await Server.BashAsync(session.Id, look);

        foreach (var seen in new[] { exec, tool })
        {
            Assert.Matches("^bin dev etc home (lib[0-9x]* )+opt proc run sbin tmp usr var workspace \n", seen);
            var rest = Inside.Lines(seen)[1..];
            Assert.Contains("/home:\nagent\n", seen, StringComparison.Ordinal);
            Assert.DoesNotContain("canary", seen, StringComparison.Ordinal);
            Assert.Contains("/run:", rest);
            Assert.DoesNotContain("shadow", rest);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task TheMachinesSettings_CannotBeOpenedForWriting()
    {
        var session = await Server.CreateSessionAsync();

        // Opened and closed, never written: a write that succeeded would change the host.
        var result = await Server.PythonAsync(session.Id, """
            import os
            opened, tried = [], 0
            paths = ['/proc/sysrq-trigger', '/proc/kcore', '/proc/kmsg', '/proc/mtrr', '/proc/1/mem', '/proc/1/oom_score_adj', '/sys', '/sys/kernel', '/sys/fs/cgroup']
            for top in ('/proc/sys', '/proc/irq', '/proc/bus', '/proc/fs', '/proc/acpi', '/proc/scsi', '/proc/driver', '/sys'):
                for folder, _, names in os.walk(top): paths += [os.path.join(folder, name) for name in names]
            for path in paths:
                tried += 1
                try: os.close(os.open(path, os.O_WRONLY)); opened.append(path)
                except OSError: pass
            print(tried > 100, opened)
            """);

        Assert.Equal("True []\n", result);
    }

    [Fact(Timeout = 120_000)]
    public async Task Limits_AreTheAgentsOwn_AndHold()
    {
        var name = "limits-" + Guid.NewGuid().ToString("N")[..8];
        await Server.DeployAsync(name, ("CLAUDE.md", "x"), ("ash.json", """{"resources":{"memoryMb":768,"pids":160}}"""));
        var session = await Server.SessionOfAsync(name);
        await Server.SendAsync(session.Id, "hello");

        var memory = await Server.ExecAsync(session.Id, "python3 -c 'bytearray(200<<20)'; echo $?; python3 -c 'bytearray(900<<20)'; echo $?");
        var tasks = await Server.PythonAsync(session.Id, """
            import os, signal
            children = []
            try:
                for _ in range(400):
                    child = os.fork()
                    if child == 0: signal.pause()
                    children.append(child)
                print('no limit')
            except BlockingIOError: print('stopped', 50 < len(children) < 160)
            for child in children: os.kill(child, 9)
            """);

        Assert.Equal(["0", "137"], Inside.Lines(memory.Stdout));
        Assert.Equal("stopped True\n", tasks);
        Assert.Equal("completed", (await Server.SendAsync(session.Id, "still there?")).Reason);
    }
}
