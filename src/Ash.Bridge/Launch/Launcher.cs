using System.Globalization;
using Ash.Bridge.Native;
using Ash.Protocol.Launch;
using static Ash.Bridge.Launch.LaunchException;

namespace Ash.Bridge.Launch;

/// <summary>Makes one sandbox's surroundings and then becomes bubblewrap, in the same process.</summary>
internal sealed class Launcher
{
    private const int Failure = 70;
    private const int PrivateFile = 0x180; // 0600
    private const int UsualFileModeMask = 0x12; // 022

    private readonly LaunchSpec _spec;
    private int _log;
    private int _info;
    private int _arguments;
    private int _filter;

    private Launcher(LaunchSpec spec) => _spec = spec;

    /// <summary>Returns only where it failed, after one line on the standard error that it was started with.</summary>
    internal static int Become(string specFile)
    {
        // Closed by the exec: whoever reads the other end sees the end of the launcher's words.
        var report = Libc.Control(Descriptor.StandardError, Libc.DuplicateCloseOnExec, 3);
        try
        {
            new Launcher(LaunchSpecFile.Read(specFile)).Become();
        }
        catch (LaunchException failure)
        {
            Descriptor.Say(report < 0 ? Descriptor.StandardError : report, failure.Message);
        }

        return Failure;
    }

    private void Become()
    {
        StartSession();
        var joining = JoinCgroups();
        if (_spec.Uid is not null)
        {
            ThrowIfFailed(Libc.Unshare(Libc.NewMountNamespace), "unshare the mount namespace");
            ThrowIfFailed(
                Libc.Mount(null, "/", null, Libc.MountRecursive | Libc.MountPrivate, null), "make / private");
        }

        // Before anything is mounted over /mnt: the data folder may be below it.
        OpenFiles();
        if (_spec.Uid is not null)
        {
            Staging.Mount(_spec.Binds);
        }

        joining.Wait();
        PointStandardStreams();
        LeaveOnlyWhatBubblewrapNeeds();
        ThrowIfFailed(Libc.ChangeDirectory("/"), "chdir /");
        Libc.SetFileModeMask(UsualFileModeMask);
        if (_spec.Uid is { } uid)
        {
            DropTo((uint)uid);
        }

        Execute();
    }

    private static void StartSession()
    {
        if (Libc.StartSession() < 0 && Libc.SessionOf(0) != Libc.CurrentProcess())
        {
            throw new LaunchException($"setsid: {Errno.Text(Errno.Last)}");
        }
    }

    /// <summary>
    /// Joins those of v1 at once. A <c>cgroup.procs</c> moves the whole process, whichever thread writes it, and waits for
    /// a grace period of the machine, 5 to 10 ms: another thread does that, beside what else is to be done before the exec.
    /// </summary>
    private CgroupJoin JoinCgroups()
    {
        var ofProcess = _spec.CgroupFiles.ToLookup(file => Path.GetFileName(file) == "cgroup.procs");
        var joining = CgroupJoin.Start([.. ofProcess[true]]);
        CgroupJoin.Join(ofProcess[false]);
        return joining;
    }

    private void OpenFiles()
    {
        _log = OpenPrivate(_spec.LogFile, Libc.OpenWriteOnly | Libc.OpenAppend, "log file");
        _info = OpenPrivate(_spec.InfoFile, Libc.OpenReadWrite | Libc.OpenTruncate, "info file");
        _arguments = ThrowIfFailed(
            Libc.Open(_spec.ArgumentsFile, Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0),
            $"open arguments file {_spec.ArgumentsFile}");
        _filter = ThrowIfFailed(
            Libc.Open(_spec.SeccompFile, Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0), $"open seccomp file {_spec.SeccompFile}");
    }

    private static int OpenPrivate(string path, int flags, string what)
    {
        var descriptor = ThrowIfFailed(
            Libc.Open(path, flags | Libc.OpenCreate | Libc.OpenNoFollow | Libc.OpenCloseOnExec, PrivateFile),
            $"open {what} {path}");
        ThrowIfFailed(Libc.ChangeMode(descriptor, PrivateFile), $"chmod {what} {path}");
        return descriptor;
    }

    private void PointStandardStreams()
    {
        var nothing = ThrowIfFailed(Libc.Open("/dev/null", Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0), "open /dev/null");
        ThrowIfFailed(Libc.Duplicate(nothing, 0), "dup2 standard input");
        ThrowIfFailed(Libc.Duplicate(_log, 1), "dup2 standard output");
        ThrowIfFailed(Libc.Duplicate(_log, 2), "dup2 standard error");
    }

    /// <summary>Bubblewrap hands every descriptor that it inherits on to pid 1 inside.</summary>
    private void LeaveOnlyWhatBubblewrapNeeds()
    {
        ThrowIfFailed(Libc.CloseRange(3, uint.MaxValue, Libc.CloseRangeSetCloseOnExec), "close_range");
        foreach (var descriptor in (ReadOnlySpan<int>)[_info, _arguments, _filter])
        {
            ThrowIfFailed(Libc.Control(descriptor, Libc.SetDescriptorFlags, 0), "clear close-on-exec");
        }
    }

    private static unsafe void DropTo(uint uid)
    {
        ThrowIfFailed(Libc.SetGroups(0, null), "setgroups");
        ThrowIfFailed(Libc.SetGroup(uid, uid, uid), $"setresgid {uid}");
        ThrowIfFailed(Libc.SetUser(uid, uid, uid), $"setresuid {uid}");
    }

    private unsafe void Execute()
    {
        using var commandLine = new NativeStrings(
        [
            _spec.Bubblewrap,
            "--as-pid-1",
            "--info-fd", _info.ToString(CultureInfo.InvariantCulture),
            "--args", _arguments.ToString(CultureInfo.InvariantCulture),
            "--seccomp", _filter.ToString(CultureInfo.InvariantCulture),
            "--",
            .. _spec.Command,
        ]);
        using var environment = new NativeStrings([]);

        Signals.ResetAll();
        ThrowIfFailed(
            Libc.Execute(commandLine.Pointer[0], commandLine.Pointer, environment.Pointer), $"execve {_spec.Bubblewrap}");
    }
}
