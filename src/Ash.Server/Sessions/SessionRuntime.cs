using Ash.Protocol.Api;
using Ash.Server.Storage;
using Ash.Server.Telemetry;

namespace Ash.Server.Sessions;

/// <summary>A session at work: its queue, its running turn, its sandbox. One per session, on the silo that owns it.</summary>
/// <remarks>
/// Everything is decided under one gate, held for a commit at most and never while a turn runs, a sandbox starts or a
/// process ends. What takes long (wake, close) is a task beside it that enters the gate when it is done.
/// Pause, stop, resume and end follow one another; messages, interrupts and frames pass between their steps.
/// </remarks>
internal sealed partial class SessionRuntime : ISandboxListener, IAsyncDisposable
{
    private const int MaxWaitingTurns = 32;
    private const long MaxWaitingBytes = 64L * 1024 * 1024;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly SessionRecord _session;
    private readonly SessionServices _services;
    private readonly SessionLog _log;
    private readonly ILogger _logger;
    private readonly Gate _gate = new();
    private readonly Gate _lifecycle = new();
    private readonly Queue<Turn> _waiting = new();
    private readonly CancellationTokenSource _closing = new();
    private Turn? _current;
    private SessionSandbox? _sandbox;
    private bool _isClosed;

    public SessionRuntime(SessionRecord session, long head, SessionServices services, EventFiles files)
    {
        _session = session;
        _services = services;
        _logger = services.Loggers.CreateLogger<SessionRuntime>();
        _log = new SessionLog(session.Id, head, services.Writer, files, services.Tails, services.Clock, services.Telemetry.Metrics);
        Meter = services.Telemetry.Of(session, isNew: head <= 1);
        _pauseTimer = Timer(CloseIfStillPausedAsync);
        _turnTimer = Timer(StopOverdueTurnAsync);
        _stopTimer = Timer(KillStubbornTurnAsync);
        _retryTimer = Timer(PumpAgainAsync);
        _readyTimer = Timer(KillStuckCliAsync);
    }

    public Guid Id => _session.Id;

    /// <summary>What is stored of it, as it is now.</summary>
    public SessionRecord Record => _session;

    public string TenantId => _session.TenantId;

    public SessionMeter Meter { get; }

    /// <summary>Of the sandbox that it has; null where it has none.</summary>
    public string? SandboxId => _sandbox?.Id;

    /// <summary>Messages that wait for their turn.</summary>
    public int WaitingTurns => _waiting.Count;

    public SessionStatus Status => _session.Status;

    /// <summary>Whether something may run in its workspace.</summary>
    public bool HasSandbox => _sandbox is not null;

    /// <summary>Whether there is a reason to keep this in memory: a sandbox, a turn, a queue.</summary>
    public bool IsBusy => _current is not null || _waiting.Count > 0 || _sandbox is not null || _waking is not null;

    public bool IsInTurn => _current is not null;

    /// <summary>When something last happened in it.</summary>
    public DateTimeOffset LastActiveAt => _session.LastActiveAt;

    /// <summary>Whether it has a sandbox and nothing to do in it.</summary>
    public bool IsEvictable =>
        _sandbox is not null && _session.Status is SessionStatus.Active or SessionStatus.Paused && !IsWorking && _waking is null && !IsLeaving;

    /// <summary>Whether nothing has happened for so long that it need not be in memory; it comes back with its next call.</summary>
    public bool IsForgettable(DateTimeOffset cutoff) => !IsBusy && _session.LastActiveAt < cutoff;

    /// <summary>Whether nothing may begin here any more: another owner, or the next server, goes on.</summary>
    private bool IsLeaving => _isClosed || _isDraining;

    /// <summary>Whether no turn runs or waits.</summary>
    private bool IsQuiet => _current is null && _waiting.Count == 0;

    /// <summary>How the session stands now, from memory.</summary>
    public SessionInfo Describe() => SessionView.Describe(_session, _current is { } turn ? new RunningTurn(turn.Id, _waiting.Count) : null);

    /// <summary>Takes over what an earlier server left: the queue, a running turn, a sandbox that lives on.</summary>
    public async Task RecoverAsync(SandboxRecord? sandbox, bool powerWasLost)
    {
        using var entered = await _gate.EnterAsync();
        foreach (var (record, content) in await _services.Turns.FindOpenAsync(Id, _closing.Token))
        {
            var turn = Turn.FromRecord(record, content);
            turn.Telemetry = Meter.Begin(turn);
            if (record.Status == TurnStatus.Running)
            {
                await _services.Turns.ReadSteersAsync(Id, turn, record.MessageSeq, _closing.Token);
                _current = turn;
            }
            else
            {
                _waiting.Enqueue(turn);
            }
        }

        _log.Begin(IsQuiet);
        if (powerWasLost)
        {
            // Rows that somebody has seen may be gone, and so may the note that the turn had called the model.
            _log.SkipAfterPowerLoss();
            _current?.HasCalledModel = true;
        }

        if (sandbox is not null && _services.Warm.TakeClaimed(sandbox.Id) is { } claimed)
        {
            // It was claimed with the row of this session, which is about to be started.
            _claimed = claimed;
            return;
        }

        if (sandbox is not null && _session.Status is SessionStatus.Stopped or SessionStatus.Ended)
        {
            // The last server died over its closing.
            await _services.Starter.DiscardAsync(sandbox, _closing.Token);
            return;
        }

        if (sandbox is not null && await _services.Starter.AdoptAsync(sandbox, _closing.Token) is { } adopted)
        {
            TakeOver(adopted, sandbox);
            return;
        }

        if (_current is not null || sandbox is { State: SandboxState.Live })
        {
            await LoseSandboxAsync("killed");
        }

        await PumpAsync();
    }

    /// <summary>Lets go of everything without ending it: the sandbox lives on for the next owner.</summary>
    public async ValueTask DisposeAsync()
    {
        SessionSandbox? sandbox;
        using (await _gate.EnterAsync())
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            sandbox = _sandbox ?? TakeClaimed();
            _sandbox = null;
            _log.Dispose();
        }

        await _closing.CancelAsync();
        await _pauseTimer.DisposeAsync();
        await _turnTimer.DisposeAsync();
        await _stopTimer.DisposeAsync();
        await _retryTimer.DisposeAsync();
        await _readyTimer.DisposeAsync();
        if (sandbox is not null)
        {
            _services.Sandboxes.Remove(sandbox);
            await sandbox.DisposeAsync();
        }
    }

    private ITimer Timer(Func<Task> work) =>
        _services.Clock.CreateTimer(_ => RunBeside(work), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    private static void Stop(ITimer timer) => timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>
    /// Runs work of a timer or an event beside whoever caused it. Nobody waits for it, so what the store did not take is
    /// tried again, and any other failure is logged.
    /// </summary>
    private void RunBeside(Func<Task> work) => _ = Task.Run(async () =>
    {
        try
        {
            while (!await TryRunAsync(work))
            {
                await Task.Delay(RetryDelay, _services.Clock, _closing.Token);
            }
        }
#pragma warning disable CA1031 // The outermost loop of this work: what it did not expect is an error to look at.
        catch (Exception failure) when (!_closing.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogWorkFailed(failure, Id);
        }
        catch (Exception failure) when (failure is OperationCanceledException or ObjectDisposedException)
        {
            // The session is being closed.
        }
    });

    private async Task<bool> TryRunAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception failure) when (StoreException.MayPass(failure) && !_closing.IsCancellationRequested)
        {
            LogTriedAgain(failure, Id);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "Something of session {SessionId} could not be stored or read; it is tried again")]
    private partial void LogTriedAgain(Exception failure, Guid sessionId);

    [LoggerMessage(LogLevel.Error, "Work of session {SessionId} failed")]
    private partial void LogWorkFailed(Exception failure, Guid sessionId);
}
