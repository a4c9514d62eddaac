using Ash.Bridge.Commands;
using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;
using Ash.Bridge.Processes;
using Ash.Bridge.Relay;
using Ash.Bridge.Sockets;
using Ash.Protocol.Launch;

namespace Ash.Bridge;

/// <summary>Pid 1 of a sandbox. Its end is the sandbox's end.</summary>
/// <remarks>
/// Three threads, all made before the first command, because at the limit of tasks none can be: this one only collects
/// the dead, one starts and kills processes, and one runs the loop, to which all state belongs.
/// </remarks>
internal sealed class BridgeProcess
{
    private const int StackBytes = 512 * 1024;
    private const int OrphanedExit = 3;

    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly EventLoop _loop = new();
    private readonly Children _children;
    private readonly HostLink _link;
    private bool _isEnding;

    private BridgeProcess(RunOptions options)
    {
        var pool = new SegmentPool();
        var outbox = new Outbox(pool);
        Memory<byte> scratch = GC.AllocateUninitializedArray<byte>(PipeReader.MaxRead, pinned: true);

        _children = new Children(_loop, SandboxPaths.Workspace);
        var cli = new Cli(_loop, _children, pool, outbox, scratch);
        var executions = new Executions(_loop, _children, outbox, scratch);
        var commands = new CommandExecutor(outbox, _children, cli, executions, onShutdown: EndSoon);
        _link = new HostLink(
            _loop,
            pool,
            outbox,
            cli,
            commands,
            options.HostSocket,
            options.OrphanTimeout,
            onOrphaned: () => _children.KillAll(() => Libc.Exit(OrphanedExit)));
        _loop.AfterRound = AfterRound;

        if (RelayListener.Start(_loop, pool, options.RelayPort, options.BrokerSocket) is not 0 and var error)
        {
            Descriptor.Say(Descriptor.StandardError, $"no relay on 127.0.0.1:{options.RelayPort}: {Errno.Text(error)}");
        }
    }

    /// <summary>Never returns: the process ends by a command, by loneliness or by SIGKILL from outside.</summary>
    internal static void Run(RunOptions options)
    {
        Signals.IgnoreAll();
        Libc.ProcessControl(Libc.SetDumpable, 0, 0, 0, 0);

        var bridge = new BridgeProcess(options);
        StartThread(bridge._children.RunSpawner);
        StartThread(() =>
        {
            bridge._link.Start();
            bridge._loop.Run();
        });
        bridge._children.Reaper.Run();
    }

    private static void StartThread(ThreadStart run) => new Thread(run, StackBytes) { IsBackground = true }.Start();

    private void AfterRound()
    {
        _link.Flush();
        if (_isEnding && _link.HasNothingToSend)
        {
            Libc.Exit(0);
        }
    }

    /// <summary>Nothing but this process is left. The answer still has to go out, if somebody is there to take it.</summary>
    private void EndSoon()
    {
        _isEnding = true;
        _loop.After(LastWords, () => Libc.Exit(0));
    }
}
