using Ash.Testing;

namespace Ash.EndToEnd.Tests.Fences;

/// <summary>Two sessions of one agent, side by side, see nothing of each other.</summary>
[Collection(FenceTests.Name)]
public sealed class NeighbourTests(FenceTests.Fixture fixture)
{
    private AshServer Server => fixture.Server;

    [Fact(Timeout = 120_000)]
    public async Task Sessions_SeeNothingOfEachOther()
    {
        var name = "neighbours-" + Guid.NewGuid().ToString("N")[..8];
        await Server.DeployAsync(name, ("CLAUDE.md", "x"));
        var one = await Server.SessionOfAsync(name);
        var other = await Server.SessionOfAsync(name);
        await Server.SendAsync(other.Id, "hello");
        await Server.BashAsync(one.Id, """
            for folder in /workspace /home/agent /home/agent/.claude /tmp /dev/shm; do echo neighbour-secret > $folder/neighbour.txt; done
            python3 - <<'END' >/dev/null 2>&1 &
            import ctypes, os, socket, time
            abstract = socket.socket(socket.AF_UNIX); abstract.bind('\0neighbour'); abstract.listen()
            path = socket.socket(socket.AF_UNIX); path.bind('/tmp/neighbour.sock'); path.listen()
            tcp = socket.socket(); tcp.bind(('127.0.0.1', 7777)); tcp.listen()
            libc = ctypes.CDLL(None, use_errno=True)
            libc.mq_open(b'/neighbour', os.O_CREAT | os.O_RDWR, 0o600, None)
            libc.shmget(4711, 4096, 0o1600)
            libc.semget(4712, 1, 0o1600)
            open('/tmp/ready', 'w').close()
            time.sleep(1000)
            END
            until [ -e /tmp/ready ]; do sleep 0.05; done; echo ready
            """);

        const string Look = """
            import ctypes, errno, glob, os, socket
            for folder in ('/workspace', '/home/agent', '/home/agent/.claude', '/tmp', '/dev/shm'):
                print(folder, os.path.exists(folder + '/neighbour.txt'))
            print('processes', sum(open(p).read() == 'python3\n' for p in glob.glob('/proc/[0-9]*/comm') if p != '/proc/%d/comm' % os.getpid()))
            print('sockets', any('neighbour' in line for line in open('/proc/net/unix')))
            def connect(family, address):
                try: socket.socket(family).connect(address); return 'OPEN'
                except OSError as e: return errno.errorcode[e.errno]
            print('abstract', connect(socket.AF_UNIX, '\0neighbour'))
            print('path', connect(socket.AF_UNIX, '/tmp/neighbour.sock'))
            print('tcp', connect(socket.AF_INET, ('127.0.0.1', 7777)))
            libc = ctypes.CDLL(None, use_errno=True)
            def call(f, *a):
                return 'OPEN' if f(*a) >= 0 else errno.errorcode[ctypes.get_errno()]
            print('queue', call(libc.mq_open, b'/neighbour', os.O_RDWR))
            print('memory', call(libc.shmget, 4711, 4096, 0o600))
            print('semaphore', call(libc.semget, 4712, 1, 0o600))
            """;
        var own = Inside.Lines(await Server.PythonAsync(one.Id, Look));
        var seen = Inside.Lines(await Server.PythonAsync(other.Id, Look));

        // The first sees its own: the look would find them. What its call filter forbids, it cannot make in the first place.
        Assert.Equal(
            ["/workspace True", "/home/agent True", "/home/agent/.claude True", "/tmp True", "/dev/shm True", "processes 1", "sockets True", "abstract OPEN", "path OPEN", "tcp OPEN"],
            own[..10]);
        Assert.Equal(
            ["/workspace False", "/home/agent False", "/home/agent/.claude False", "/tmp False", "/dev/shm False", "processes 0", "sockets False", "abstract ECONNREFUSED", "path ENOENT", "tcp ECONNREFUSED"],
            seen[..10]);
        Assert.All(seen[10..], line => Assert.DoesNotContain("OPEN", line, StringComparison.Ordinal));
        Assert.Equal(3, seen[10..].Length);
    }

    [Fact(Timeout = 60_000)]
    public async Task ADaemonThatLeftItsSession_IsGone_OnceTheSessionHasEnded()
    {
        var session = await Server.CreateSessionAsync();
        await Server.BashAsync(session.Id, """
            python3 -c 'import os, time
            if os.fork(): os._exit(0)
            os.setsid()
            if os.fork(): os._exit(0)
            for f in range(3): os.close(f)
            time.sleep(100000)' && echo left
            """.Replace("\n            ", "\n", StringComparison.Ordinal));
        var before = Server.ProcessesOf(session.Id);
        Assert.Contains(before, process => process.Name == "python3");

        await Server.Client.Sessions.EndAsync(session.Id, cancellationToken: TestContext.Current.CancellationToken);

        Assert.DoesNotContain(Server.Processes(), process => process.Sandbox == before[0].Sandbox);
        Assert.All(before, process => Assert.False(IsAlive(process)));
    }

    private static bool IsAlive(SandboxProcess process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process.Pid}/stat").Contains(") Z ", StringComparison.Ordinal)
                && File.ReadAllText($"/proc/{process.Pid}/cgroup").Contains(process.Sandbox, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
