namespace Ash.Runner.Seccomp;

/// <summary>Which system calls a sandbox may make. What is not named here is refused with EPERM.</summary>
/// <remarks>
/// Wide enough for ordinary programs (shells, compilers, git, Python, Node, .NET, databases), not for debuggers,
/// containers or anything that configures a machine. ENOSYS is for what is merely new, so that libraries take their older
/// path; EPERM for what is forbidden.
/// </remarks>
internal static class SyscallPolicy
{
    /// <summary>From here on a call is newer than what is listed: ENOSYS unless allowed.</summary>
    public const int FirstNewNumber = 451;

    /// <summary>Up to here unlisted new calls get ENOSYS, those beyond EPERM. The x32 table's numbers begin at 512.</summary>
    public const int LastNewNumber = 511;

    private const string Files = """
        access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate
        fchdir fchmod fchmodat fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs
        fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1
        inotify_rm_watch lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat
        newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink
        readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr splice stat statfs statx symlink
        symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes write writev
        """;

    private const string Waiting = """
        epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 poll ppoll pselect6 select
        signalfd signalfd4 timerfd_create timerfd_gettime timerfd_settime
        """;

    private const string Memory = """
        brk madvise membarrier mincore mlock mlock2 mlockall mmap mprotect mremap msync munlock munlockall munmap pkey_alloc
        pkey_free pkey_mprotect
        """;

    private const string Processes = """
        arch_prctl capget capset execve execveat exit exit_group fork getegid geteuid getgid getgroups getpgid getpgrp getpid
        getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid getuid ioprio_get ioprio_set kill pidfd_open
        pidfd_send_signal restart_syscall rseq sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
        sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
        sched_setscheduler sched_yield set_robust_list get_robust_list set_tid_address setfsgid setfsuid setgid setgroups setpgid
        setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid tgkill times tkill uname vfork wait4 waitid
        getcpu sysinfo getrandom
        """;

    private const string Signals = """
        alarm getitimer pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
        rt_sigtimedwait rt_tgsigqueueinfo setitimer sigaltstack
        """;

    private const string Time = """
        clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep time timer_create timer_delete timer_getoverrun
        timer_gettime timer_settime
        """;

    private const string Communication = """
        accept accept4 bind connect futex futex_waitv getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg
        semctl semget semop semtimedop sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shutdown
        """;

    private const string New = "cachestat fchmodat2";

    /// <summary>Numbers of allowed calls that the installed libseccomp may be too old to know.</summary>
    private static readonly Dictionary<string, int> Numbers = new() { ["cachestat"] = 451, ["fchmodat2"] = 452, ["futex_waitv"] = 449 };

    /// <summary>Refused as if the kernel did not have them.</summary>
    /// <remarks>
    /// <c>clone3</c> has its flags in memory, where no filter sees them. <c>memfd_create</c> makes memory that no tmpfs size
    /// bounds and no process's size shows.
    /// </remarks>
    public static IReadOnlyList<string> Unknown { get; } =
    [
        "clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "memfd_create", "memfd_secret",
        "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
    ];

    /// <summary>Allowed whatever their arguments are.</summary>
    public static IReadOnlyList<(string Name, int? Number)> Allowed { get; } =
    [
        .. string.Join(' ', Files, Waiting, Memory, Processes, Signals, Time, Communication, New)
            .Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
            .Select(name => (name, Numbers.TryGetValue(name, out var number) ? (int?)number : null)),
    ];

    /// <summary>Allowed where all conditions of one rule hold; several rules of one call are alternatives.</summary>
    public static IReadOnlyList<ConditionalCall> Conditional { get; } =
    [
        .. Clone(), .. Sockets(), .. Terminals(), .. ProcessOptions(), .. Nodes(),

        // With one uid for all, a process could otherwise lower the bridge's limits.
        new("prlimit64", [Low(0, 0)]),

        new("personality", [Low(0, 0)]),
        new("personality", [Low(0, 0xffff_ffff)]),

        // Segments outlive processes and are bounded by no tmpfs; small ones (databases lock with them) add up to 256 MB.
        new("shmget", [new Condition(1, Comparison.AtMost, 65536)]),

        // A filter can only take away; a listener could answer for others.
        new("seccomp", [Low(0, 0)]),
        new("seccomp", [Low(0, 1), new Condition(1, Comparison.Masked, Mask: 0x8, Value: 0)]),
        new("seccomp", [Low(0, 2)]),
    ];

    /// <summary>Compares the 32 bits that the kernel looks at: a comparison of 64 is passed by setting a higher one.</summary>
    private static Condition Low(int argument, uint value) => new(argument, Comparison.Masked, Mask: 0xffff_ffff, Value: value);

    private static Condition Bits(int argument, uint mask, uint value) => new(argument, Comparison.Masked, mask, value);

    private static ConditionalCall[] Clone()
    {
        // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
        const uint Namespaces = 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;
        return [new("clone", [Bits(0, Namespaces, 0)])];
    }

    private static IEnumerable<ConditionalCall> Sockets()
    {
        const uint Unix = 1;
        const uint Ip4 = 2;
        const uint Ip6 = 10;
        const uint Stream = 1;
        const uint Datagram = 2;

        // All of the type but SOCK_CLOEXEC and SOCK_NONBLOCK.
        const uint TypeMask = 0xffff_ffff & ~0x8_0800u;

        yield return new("socket", [Low(0, Unix), Low(2, 0)]);
        yield return new("socketpair", [Low(0, Unix)]);

        foreach (var family in new[] { Ip4, Ip6 })
        {
            foreach (var (type, protocol) in new[] { (Stream, 0u), (Stream, 6u), (Datagram, 0u), (Datagram, 17u) })
            {
                yield return new("socket", [Low(0, family), Bits(1, TypeMask, type), Low(2, protocol)]);
            }
        }
    }

    private static IEnumerable<ConditionalCall> Terminals()
    {
        uint[] requests =
        [
            // Terminals, without TIOCSTI (0x5412), TIOCCONS (0x541d), TIOCLINUX (0x541c) and TIOCSETD (0x5423).
            0x5401, 0x5402, 0x5403, 0x5404, 0x5405, 0x5406, 0x5407, 0x5408, 0x5409, 0x540a, 0x540b, 0x540c, 0x540d, 0x540e, 0x540f,
            0x5410, 0x5411, 0x5413, 0x5414, 0x5422, 0x5424, 0x5425, 0x5429, 0x802c_542a, 0x402c_542b, 0x402c_542c, 0x402c_542d,
            0x8004_5430, 0x4004_5431, 0x5441,

            // FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, FIOASYNC, FIOQSIZE, SIOCATMARK.
            0x541b, 0x5421, 0x5450, 0x5451, 0x5452, 0x5460, 0x8905,

            // FICLONE, FICLONERANGE, FIDEDUPERANGE, FS_IOC_GETFLAGS.
            0x4004_9409, 0x4020_940d, 0xc018_9436, 0x8008_6601,

            // SIOCGIF: NAME, CONF, FLAGS, ADDR, DSTADDR, BRDADDR, NETMASK, MTU, HWADDR, INDEX.
            0x8910, 0x8912, 0x8913, 0x8915, 0x8917, 0x8919, 0x891b, 0x8921, 0x8927, 0x8933,
        ];
        return requests.Select(request => new ConditionalCall("ioctl", [Low(1, request)]));
    }

    private static IEnumerable<ConditionalCall> ProcessOptions()
    {
        uint[] options =
        [
            1, 2, // death signal
            3, 4, // dumpable
            7, // keep capabilities, query
            15, 16, // name
            21, 22, // seccomp
            23, // bounding set, query
            29, 30, // timer slack
            36, 37, // child subreaper
            38, 39, // no new privileges
            40, // tid address
            41, 42, // transparent huge pages
            52, // speculation, query
            0x5356_4d41, // names of memory areas
        ];
        const uint AmbientCapabilities = 47;
        const uint IsSet = 1;
        return
        [
            .. options.Select(option => new ConditionalCall("prctl", [Low(0, option)])),
            new("prctl", [Low(0, AmbientCapabilities), Low(1, IsSet)]),
        ];
    }

    private static IEnumerable<ConditionalCall> Nodes()
    {
        const uint TypeMask = 0xf000;
        foreach (var type in new uint[] { 0, 0x1000 /* pipe */, 0x8000 /* plain file */, 0xc000 /* socket */ })
        {
            yield return new("mknod", [Bits(1, TypeMask, type)]);
            yield return new("mknodat", [Bits(2, TypeMask, type)]);
        }
    }

    internal enum Comparison
    {
        /// <summary><c>argument &lt;= Mask</c>.</summary>
        AtMost = 3,

        /// <summary><c>(argument &amp; Mask) == Value</c>.</summary>
        Masked = 7,
    }

    /// <param name="Argument">Its index, from 0.</param>
    /// <param name="Comparison">How it is compared.</param>
    /// <param name="Mask">The mask, or the number to compare with.</param>
    /// <param name="Value">What is left after the mask.</param>
    internal readonly record struct Condition(int Argument, Comparison Comparison, ulong Mask, ulong Value = 0);

    internal sealed record ConditionalCall(string Name, IReadOnlyList<Condition> Conditions);
}
