using System.Runtime.InteropServices;

namespace Ash.Bridge.Tests.Sandboxes;

/// <summary>A seccomp filter that knows only the calls that the CLI and common tools were found to need, and the bridge's few.</summary>
internal static partial class StrictFilter
{
    private const string Library = "libseccomp.so.2";
    private const uint Allow = 0x7fff0000;
    private const uint NotPermitted = 0x00050001;
    private const uint NotImplemented = 0x00050026;

    private const string Calls =
        """
        access arch_prctl bind brk capget chdir chmod clock_nanosleep clone close close_range connect copy_file_range dup2
        epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 eventfd2 execve exit exit_group faccessat2 fadvise64 fchmod fcntl fstat
        fsync ftruncate futex getcwd getdents64 getegid geteuid getgid getpeername getpgrp getpid getppid getrandom getrusage
        getsockopt gettid getuid getxattr inotify_add_watch inotify_init1 inotify_rm_watch ioctl kill lgetxattr link listen lseek
        madvise mkdir mmap mprotect munmap newfstatat open openat pidfd_open pipe2 pkey_alloc poll prctl pread64 preadv2
        prlimit64 pwrite64 pwritev2 read readlink recvfrom rename restart_syscall rmdir rseq rt_sigaction rt_sigprocmask
        rt_sigreturn sched_getaffinity sched_yield sendto set_robust_list set_tid_address setsid setsockopt sigaltstack socket
        socketpair stat statfs statx symlink sysinfo umask uname unlink unlinkat utimensat vfork wait4 write
        accept4 getsockname shutdown renameat2 fdatasync
        epoll_wait recvmsg membarrier tgkill
        """;

    internal static void Write(string path)
    {
        var filter = Initialize(NotPermitted);
        Assert.NotEqual(0, filter);
        try
        {
            foreach (var call in Calls.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
            {
                Assert.Equal(0, AddRule(filter, Allow, Resolve(call), 0, 0));
            }

            Assert.Equal(0, AddRule(filter, NotImplemented, Resolve("clone3"), 0, 0));
            using var file = File.Create(path);
            Assert.Equal(0, Export(filter, (int)file.SafeFileHandle.DangerousGetHandle()));
        }
        finally
        {
            Release(filter);
        }
    }

    [LibraryImport(Library, EntryPoint = "seccomp_init")]
    private static partial nint Initialize(uint action);

    [LibraryImport(Library, EntryPoint = "seccomp_syscall_resolve_name", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Resolve(string name);

    [LibraryImport(Library, EntryPoint = "seccomp_rule_add_array")]
    private static partial int AddRule(nint filter, uint action, int call, uint count, nint arguments);

    [LibraryImport(Library, EntryPoint = "seccomp_export_bpf")]
    private static partial int Export(nint filter, int descriptor);

    [LibraryImport(Library, EntryPoint = "seccomp_release")]
    private static partial void Release(nint filter);
}
