using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Ash.Runner.Sandboxes;

namespace Ash.Server.Tests.InMemory;

/// <summary>Sandboxes without processes: each is a bridge that answers as the test says. For state machines, not for promises.</summary>
internal sealed partial class ScriptedSandboxHost(string runDirectory) : ISandboxHost
{
    private readonly ConcurrentDictionary<string, ScriptedSandbox> _live = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _starts;

    public IsolationLevel Isolation => IsolationLevel.Full;

    /// <summary>How the CLI inside treats a message.</summary>
    public CliManner Manner { get; set; } = CliManner.Answers;

    /// <summary>What the CLI says that a turn took, as JSON.</summary>
    public string Usage { get; set; } = """{"output_tokens":1}""";

    /// <summary>What the next starts fail with; null lets them succeed.</summary>
    public SandboxException? StartFailure { get; set; }

    /// <summary>The text of the CLI's answers, as it stands in JSON.</summary>
    public string Answer { get; set; } = "answer";

    /// <summary>A line that the CLI says before it takes each message, in a frame of its own; null for none.</summary>
    public string? Remark { get; set; }

    /// <summary>Lines that the CLI writes to its standard error before it takes each message.</summary>
    public IReadOnlyList<string> Errors { get; set; } = [];

    /// <summary>How often the remark is said.</summary>
    public int Remarks { get; set; } = 1;

    /// <summary>What the self-test finds.</summary>
    public IReadOnlyList<string> Missing { get; set; } = [];

    /// <summary>Commands of users end only with it.</summary>
    public TaskCompletionSource? ExecHold { get; set; }

    /// <summary>Completes with the first command of a user.</summary>
    public TaskCompletionSource ExecBegun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Starts wait for it.</summary>
    public TaskCompletionSource? StartHold { get; set; }

    /// <summary>The processes come up, and their bridge never says a word.</summary>
    public bool BridgeIsSilent { get; set; }

    /// <summary>What the last sandbox was given as its environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; set; } = new Dictionary<string, string>();

    /// <summary>With what the CLI was started last.</summary>
    public IReadOnlyList<string> CliArguments { get; set; } = [];

    /// <summary>Every line that was written to a CLI.</summary>
    public ConcurrentQueue<string> Told { get; } = [];

    /// <summary>Completes with the first start.</summary>
    public Task Started => _started.Task;

    public int Starts => Volatile.Read(ref _starts);

    /// <summary>How many were there at once, at most.</summary>
    public int MostLive { get; private set; }

    public IReadOnlyCollection<ScriptedSandbox> Live => [.. _live.Values];

    public SandboxPlan Plan(string sandboxId) => new(Path.Combine(runDirectory, sandboxId), []);

    public async Task<ISandbox> StartAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _starts);
        _started.TrySetResult();
        if (StartHold is { } hold)
        {
            await hold.Task.WaitAsync(cancellationToken);
        }

        if (StartFailure is { } failure)
        {
            throw failure;
        }

        if (!Directory.Exists(spec.WorkspacePath))
        {
            throw new SandboxException($"{spec.WorkspacePath} is not there");
        }

        Directory.CreateDirectory(Plan(spec.Id).SocketDirectory);
        var uid = System.Environment.IsPrivilegedProcess ? spec.Uid : (int)EffectiveUser();
        var identity = new SandboxIdentity(spec.Id, 1, 1, 2, 1, "boot", uid);
        var sandbox = new ScriptedSandbox(identity, this);
        lock (_live)
        {
            _live[spec.Id] = sandbox;
            MostLive = Math.Max(MostLive, _live.Count);
        }

        if (!BridgeIsSilent)
        {
            sandbox.Dial();
        }

        return sandbox;
    }

    public ISandbox? Adopt(SandboxIdentity identity) => null;

    public Task EndAsync(SandboxIdentity identity, CancellationToken cancellationToken)
    {
        Forget(identity.Id);
        return Task.CompletedTask;
    }

    /// <summary>As under reduced isolation: a name leads to no process.</summary>
    public Task CleanUpAsync(string sandboxId, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task RemoveStrangersAsync(IReadOnlySet<string> known, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<IReadOnlyList<string>> SelfTestAsync(CancellationToken cancellationToken) => Task.FromResult(Missing);

    internal void Forget(string sandboxId) => _live.TryRemove(sandboxId, out _);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}

/// <summary>What the scripted CLI does with a message.</summary>
internal enum CliManner
{
    /// <summary>Two deltas, an answer, its result.</summary>
    Answers,

    /// <summary>Works until it is interrupted.</summary>
    Waits,

    /// <summary>Works on, whatever it is told.</summary>
    IsDeaf,
}
