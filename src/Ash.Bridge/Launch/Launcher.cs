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

    private readonly LaunchSpec spec;
    private int log;
    private int info;
    private int arguments;
    private int filter;

    private Launcher(LaunchSpec spec) => this.spec = spec;

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
        JoinCgroups();
        if (spec.Uid is not null)
        {
            ThrowIfFailed(Libc.Unshare(Libc.NewMountNamespace), "unshare the mount namespace");
            ThrowIfFailed(
                Libc.Mount(null, "/", null, Libc.MountRecursive | Libc.MountPrivate, null), "make / private");
        }

        // Before anything is mounted over /mnt: the data folder may be below it.
        OpenFiles();
        if (spec.Uid is not null)
        {
            Staging.Mount(spec.Binds);
        }

        PointStandardStreams();
        LeaveOnlyWhatBubblewrapNeeds();
        ThrowIfFailed(Libc.ChangeDirectory("/"), "chdir /");
        Libc.SetFileModeMask(UsualFileModeMask);
        if (spec.Uid is { } uid)
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

    private void JoinCgroups()
    {
        foreach (var file in spec.CgroupFiles)
        {
            var descriptor = ThrowIfFailed(Libc.Open(file, Libc.OpenWriteOnly | Libc.OpenCloseOnExec, 0), $"open {file}");
            ThrowIfFailed(Descriptor.Write(descriptor, "0"u8), $"join {file}");
            Descriptor.Close(ref descriptor);
        }
    }

    private void OpenFiles()
    {
        log = OpenPrivate(spec.LogFile, Libc.OpenWriteOnly | Libc.OpenAppend, "log file");
        info = OpenPrivate(spec.InfoFile, Libc.OpenReadWrite | Libc.OpenTruncate, "info file");
        arguments = ThrowIfFailed(
            Libc.Open(spec.ArgumentsFile, Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0),
            $"open arguments file {spec.ArgumentsFile}");
        filter = ThrowIfFailed(
            Libc.Open(spec.SeccompFile, Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0), $"open seccomp file {spec.SeccompFile}");
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
        ThrowIfFailed(Libc.Duplicate(log, 1), "dup2 standard output");
        ThrowIfFailed(Libc.Duplicate(log, 2), "dup2 standard error");
    }

    /// <summary>Bubblewrap hands every descriptor that it inherits on to pid 1 inside.</summary>
    private void LeaveOnlyWhatBubblewrapNeeds()
    {
        ThrowIfFailed(Libc.CloseRange(3, uint.MaxValue, Libc.CloseRangeSetCloseOnExec), "close_range");
        foreach (var descriptor in (ReadOnlySpan<int>)[info, arguments, filter])
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
            spec.Bubblewrap,
            "--as-pid-1",
            "--info-fd", info.ToString(CultureInfo.InvariantCulture),
            "--args", arguments.ToString(CultureInfo.InvariantCulture),
            "--seccomp", filter.ToString(CultureInfo.InvariantCulture),
            "--",
            .. spec.Command,
        ]);
        using var environment = new NativeStrings([]);

        Signals.ResetAll();
        ThrowIfFailed(
            Libc.Execute(commandLine.Pointer[0], commandLine.Pointer, environment.Pointer), $"execve {spec.Bubblewrap}");
    }
}
