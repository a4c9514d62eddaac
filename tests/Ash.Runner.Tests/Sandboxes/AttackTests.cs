using Ash.Runner.Kernel;
using Ash.Runner.Tests.Testing;

namespace Ash.Runner.Tests.Sandboxes;

/// <summary>What a hostile program inside may try. A fence is opened, never written to: a write that succeeds changes the host.</summary>
public sealed class AttackTests(RunnerFixture runner)
{
    private const string Prelude = """
        import ctypes, errno, os, mmap
        libc = ctypes.CDLL(None, use_errno=True)
        def call(number, *arguments):
            ctypes.set_errno(0)
            result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments])
            return errno.errorcode.get(ctypes.get_errno(), 'OK') if result == -1 else 'OK'
        def show(name, *arguments):
            print(name, call(*arguments))

        """;

    [Fact]
    public async Task Proc_ShowsOnlyTheSandboxsOwnProcesses()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.ExecAsync("cat /proc/[0-9]*/cmdline | tr '\\0' ' '; tr '\\0' '\\n' < /proc/1/environ");

        Assert.Contains("/opt/ash/ash-bridge run", result.Output);
        Assert.DoesNotContain("Ash.Runner.Tests", result.Output);
        Assert.DoesNotContain("HOME=", result.Output);
    }

    [Fact]
    public async Task TheBridge_CannotBeReachedInto_NorKilledFromInside()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.PythonAsync(Prelude + """
            show('ptrace', 101, 16, 1, 0, 0)
            show('process_vm_readv', 310, 1, 0, 0, 0, 0, 0)
            show('process_vm_writev', 311, 1, 0, 0, 0, 0, 0)
            show('pidfd_getfd', 438, 0, 0, 0)
            show('kcmp', 312, 1, 1, 0, 0, 0)
            for mode in ('r', 'r+'):
                try:
                    open('/proc/1/mem', mode); print('mem', mode, 'OK')
                except OSError as e: print('mem', mode, errno.errorcode[e.errno])
            for number in range(1, 65):
                try: os.kill(1, number)
                except OSError: pass
            show('prlimit64', 302, 1, 7, 0, 0)
            """);

        Assert.Equal(
            [
                "ptrace EPERM", "process_vm_readv EPERM", "process_vm_writev EPERM", "pidfd_getfd EPERM", "kcmp EPERM",
                "mem r EACCES", "mem r+ EACCES", "prlimit64 EPERM",
            ],
            result.Lines);
        Assert.Equal(0, (await sandbox.ExecAsync("true")).Code);
        Assert.False(sandbox.Sandbox.Exited.IsCompleted);
    }

    [Fact]
    public async Task EveryProcess_HasNoCapability_AndAFilter()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.ExecAsync(
            "cat /proc/1/status /proc/self/status | grep -E '^(Cap|NoNewPrivs|Seccomp:)' | sort -u | tr '\\t' ' '");

        Assert.Equal(
            [
                "CapAmb: 0000000000000000", "CapBnd: 0000000000000000", "CapEff: 0000000000000000", "CapInh: 0000000000000000",
                "CapPrm: 0000000000000000", "NoNewPrivs: 1", "Seccomp: 2",
            ],
            result.Lines);
    }

    [Fact]
    public async Task ForbiddenCalls_AreRefused()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.PythonAsync(Prelude + """
            new = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
            for flag in new: show('clone %x' % flag, 56, flag | 17, 0, 0, 0, 0)
            for name, *arguments in [
                ('unshare', 272, 0x10000000), ('setns', 308, 0, 0),
                ('mount', 165, 0, 0, 0, 0, 0), ('umount2', 166, 0, 0), ('pivot_root', 155, 0, 0), ('chroot', 161, 0),
                ('open_tree', 428, -100, 0, 0), ('move_mount', 429, 0, 0, 0, 0, 0), ('fsopen', 430, 0, 0), ('fsconfig', 431, 0, 0, 0, 0, 0),
                ('fsmount', 432, 0, 0, 0), ('fspick', 433, 0, 0, 0), ('mount_setattr', 442, 0, 0, 0, 0, 0),
                ('bpf', 321, 0, 0, 0), ('perf_event_open', 298, 0, 0, 0, 0, 0), ('userfaultfd', 323, 0),
                ('keyctl', 250, 0, 0, 0, 0, 0), ('add_key', 248, 0, 0, 0, 0, 0), ('request_key', 249, 0, 0, 0, 0),
                ('kexec_load', 246, 0, 0, 0, 0), ('kexec_file_load', 320, 0, 0, 0, 0, 0), ('init_module', 175, 0, 0, 0),
                ('finit_module', 313, 0, 0, 0), ('delete_module', 176, 0, 0), ('swapon', 167, 0, 0), ('reboot', 169, 0, 0, 0, 0),
                ('iopl', 172, 3), ('ioperm', 173, 0, 1, 1), ('modify_ldt', 154, 0, 0, 0), ('acct', 163, 0), ('quotactl', 179, 0, 0, 0, 0),
                ('syslog', 103, 3, 0, 0), ('sethostname', 170, 0, 0), ('settimeofday', 164, 0, 0), ('clock_settime', 227, 0, 0),
                ('name_to_handle_at', 303, -100, 0, 0, 0, 0), ('open_by_handle_at', 304, 0, 0, 0), ('fanotify_init', 300, 0, 0),
                ('process_madvise', 440, 0, 0, 0, 0, 0), ('move_pages', 279, 0, 0, 0, 0, 0, 0), ('mbind', 237, 0, 0, 0, 0, 0, 0),
                ('personality', 135, 0x40000), ('msgget', 68, 0, 0o1600), ('shmget large', 29, 0, 65537, 0o1600),
                ('seccomp listener', 317, 1, 8, 0), ('prctl set_mm', 157, 35, 1, 0, 0, 0), ('prctl ptracer', 157, 0x59616d61, -1, 0, 0, 0),
            ]: show(name, *arguments)
            """);

        Assert.Equal(0, result.Code);
        Assert.All(result.Lines, line => Assert.EndsWith(" EPERM", line));
        Assert.True(result.Lines.Count > 50);
    }

    [Fact]
    public async Task MerelyNewCalls_AreUnknown_SoThatLibrariesTakeTheirOlderPath()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.PythonAsync(Prelude + """
            for number in [425, 426, 427, 435, 319, 447, 444, 445, 446, 453, 457, 458, 463, 470, 500]: show(number, number, 0, 0, 0, 0, 0, 0)
            """);

        Assert.Equal(15, result.Lines.Count);
        Assert.All(result.Lines, line => Assert.EndsWith(" ENOSYS", line));
    }

    [Fact]
    public async Task Sockets_OfOtherFamilies_AreRefused()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.PythonAsync(Prelude + """
            for family in range(0, 46):
                if family not in (1, 2, 10): show('family %d' % family, 41, family, 3, 0)
            for family in (2, 10):
                for kind in (3, 4, 5, 6): show('inet %d %d' % (family, kind), 41, family, kind, 0)
                for protocol in (1, 58, 132, 255, 262): show('protocol %d %d' % (family, protocol), 41, family, 1, protocol)
            show('high bits', 41, 2 | (1 << 32), 3, 0)
            show('socketpair', 53, 2, 1, 0, 0)
            """);

        Assert.Equal(0, result.Code);
        Assert.All(result.Lines, line => Assert.EndsWith(" EPERM", line));
    }

    [Fact]
    public async Task TheOtherCallTables_AreRefused()
    {
        await using var sandbox = await runner.StartAsync();

        // Machine code, because no library makes 32-bit calls here: mov eax, N; mov ebx, 16; int 0x80; ret.
        var result = await sandbox.PythonAsync(Prelude + """
            def old(number, first):
                page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
                page.write(b'\x53\xb8' + number.to_bytes(4, 'little') + b'\xbb' + first.to_bytes(4, 'little')
                    + b'\xb9\x03\x00\x00\x00\x31\xd2\xcd\x80\x5b\xc3')
                code = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
                return errno.errorcode.get(-code(), 'OK')
            for name, number, first in [('getpid', 20, 0), ('socket netlink', 359, 16), ('socket vsock', 359, 40), ('mount', 21, 0), ('unshare', 310, 0x10000000)]:
                print('i386', name, old(number, first))
            for name, number, *arguments in [('getpid', 39), ('socket', 41, 16, 3, 0), ('ptrace', 521, 0, 0, 0, 0), ('keyctl', 250, 0)]:
                show('x32 ' + name, 0x40000000 | number, *arguments)
            """);

        Assert.Equal(9, result.Lines.Count);
        Assert.All(result.Lines, line => Assert.EndsWith(" EPERM", line));
    }

    [Fact]
    public async Task Terminals_TakeNoCharactersFromOutsiders()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.PythonAsync(Prelude + """
            import pty
            one, two = pty.openpty()
            for request in (0x5412, 0x541c, 0x541d, 0x5423, 0x4b33, 0x5601):
                show('ioctl %x' % request, 16, two, request, 0)
                show('ioctl high %x' % request, 16, two, request | (1 << 40), 0)
            print('session', os.getsid(0) != os.getpgid(1))
            """);

        Assert.Equal(13, result.Lines.Count);
        Assert.All(result.Lines.SkipLast(1), line => Assert.EndsWith(" EPERM", line));
    }

    [Fact]
    public async Task SetUserIdFiles_GainNothing()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.ExecAsync("""
            cp /usr/bin/id ./id && chmod 6755 ./id && ./id -u
            file=$(find /usr/bin -perm -4000 -user 65534 | head -1); echo "found $file"
            grep ' /usr ' /proc/self/mountinfo | grep -c nosuid
            grep ' /workspace ' /proc/self/mountinfo | grep -c nosuid
            test -u /usr/bin/su && echo x | timeout 5 su -c id root </dev/null && echo GAINED
            true
            """);

        Assert.Contains("1000", result.Lines[0]);
        Assert.Equal(2, result.Lines.Count(line => line == "1"));
        Assert.DoesNotContain("GAINED", result.Output);
    }

    [Fact]
    public async Task CgroupsAndSys_AreNotThere()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.ExecAsync("ls -A /sys 2>/dev/null; grep -c cgroup /proc/self/mountinfo; cat /proc/self/cgroup | cut -d: -f3 | sort -u");

        Assert.Equal("0", result.Lines[0]);
        Assert.Equal(["/"], result.Lines.Skip(1));
    }

    [Fact]
    public async Task Dev_HoldsOnlyTheHarmlessFew_AndNoNodeCanBeMade()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.PythonAsync(Prelude + """
            print(' '.join(sorted(os.listdir('/dev'))))
            for kind in (0o020000, 0o060000):
                show('mknod', 133, ctypes.cast(ctypes.c_char_p(b'/tmp/node'), ctypes.c_void_p).value, kind | 0o600, 0x103)
                show('mknodat', 259, -100, ctypes.cast(ctypes.c_char_p(b'/tmp/node'), ctypes.c_void_p).value, kind | 0o600, 0x103)
            os.mkfifo('/tmp/pipe')
            for path in ('/dev/x', '/x', '/etc/x', '/opt/ash/x', '/run/ash/x', '/var/x'):
                try: open(path, 'w'); print(path, 'OK')
                except OSError as e: print(path, errno.errorcode[e.errno])
            """);

        Assert.Equal("core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero", result.Lines[0]);
        Assert.All(result.Lines.Skip(1).Take(4), line => Assert.EndsWith(" EPERM", line));
        Assert.Equal(6, result.Lines.Count(line => line.EndsWith(" EROFS", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task TheMachinesSettings_CannotBeOpenedForWriting()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.PythonAsync("""
            import os
            opened, tried = [], 0
            for top in ('/proc/sys', '/proc/irq', '/proc/bus', '/proc/fs', '/proc/acpi', '/proc/scsi', '/proc/driver'):
                for folder, _, files in os.walk(top):
                    for name in files:
                        path = os.path.join(folder, name)
                        tried += 1
                        try:
                            os.close(os.open(path, os.O_WRONLY)); opened.append(path)
                        except OSError: pass
            for path in ('/proc/sysrq-trigger', '/proc/mtrr', '/proc/kcore', '/proc/kmsg', '/proc/timer_list', '/proc/slabinfo'):
                try:
                    os.close(os.open(path, os.O_WRONLY)); opened.append(path)
                except OSError: pass
            print(tried > 100, opened)
            """);

        Assert.Equal("True []\n", result.Output);
    }

    [Fact]
    public async Task NoProcess_IsTheHostsRoot_SeenFromOutside()
    {
        await using var sandbox = await runner.StartAsync();
        await sandbox.ExecAsync("setsid sleep 1000 >/dev/null 2>&1 &");

        var processes = File.ReadAllLines(Path.Combine(runner.Host.Plan(sandbox.Spec.Id).CgroupPaths[0], "cgroup.procs"));

        Assert.True(processes.Length >= 3);
        foreach (var pid in processes)
        {
            var users = File.ReadLines($"/proc/{pid}/status").Single(line => line.StartsWith("Uid:", StringComparison.Ordinal));
            Assert.Equal(Enumerable.Repeat($"{sandbox.Spec.Uid}", 4), users.Split('\t').Skip(1));
        }
    }

    [Fact]
    public async Task TheHostsFiles_AreNeitherReadableNorListable()
    {
        var canary = Path.Combine(runner.Root, "canary");
        await File.WriteAllTextAsync(canary, "secret", TestContext.Current.CancellationToken);
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.ExecAsync(
            $"ls / | tr '\\n' ' '; echo; for path in {canary} {runner.Root} /root /home/* /etc/shadow /mnt /proc/1/root/root; do cat $path; ls $path; done 2>/dev/null");

        Assert.Equal(
            "bin dev etc home lib lib64 opt proc run sbin tmp usr var workspace ".Replace("lib lib64", LibraryFolders()), result.Lines[0]);
        Assert.DoesNotContain("secret", result.Output);
        Assert.DoesNotContain("workspaces", result.Output);
    }

    [Fact]
    public async Task KillingEverythingInside_LeavesTheBridge()
    {
        await using var sandbox = await runner.StartAsync();

        await sandbox.ExecAsync("kill -9 -1; kill -9 $$");

        Assert.Equal("well\n", (await sandbox.ExecAsync("echo well")).Output);
    }

    [Fact]
    public async Task ASocketOfTheHost_TakesNobodyButTheBridge()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.PythonAsync("""
            import socket
            s = socket.socket(socket.AF_UNIX); s.connect('/run/ash/host.sock')
            try:
                s.sendall(b'{"type":"hello","protocol":1,"oldest":1,"head":0,"process":0,"cli_pid":0}\n')
                print('read', s.recv(100))
            except OSError: print('reset')
            """);

        Assert.Contains(result.Output, new[] { "read b''\n", "reset\n" });
        Assert.False(sandbox.Sandbox.Connections.TryRead(out _));
        Assert.Equal(0, (await sandbox.ExecAsync("true")).Code);
    }

    private static string LibraryFolders() =>
        string.Join(' ', new[] { "lib", "lib32", "lib64", "libx32" }.Where(name => FileKinds.Of($"/{name}") != FileKind.None));
}
