using Ash.Protocol.Bridge;
using Ash.Runner.Sandboxes;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>The session's sandbox: woken when something must run, closed when nothing does, told of when it is lost.</summary>
internal sealed partial class SessionRuntime
{
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(3);
    private Task<string?>? _waking;
    private Task _closed = Task.CompletedTask;

    /// <summary>Begins to start a sandbox, unless one is being started. Under the gate.</summary>
    /// <returns>Completes with null once the session is active, else with the reason why it is not.</returns>
    private Task<string?> BeginWaking()
    {
        if (_waking is null)
        {
            var waking = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waking = waking.Task;
            RunBeside(() => WakeAsync(waking));
        }

        return _waking;
    }

    private async Task WakeAsync(TaskCompletionSource<string?> waking)
    {
        string? failure = null;
        try
        {
            SessionSandbox? started = null;
            if (_sandbox is null)
            {
                // No two sandboxes of one session: the old one's cgroup is empty before the new one starts.
                await _closed;
                (started, failure) = await TryStartAsync();
            }

            using var entered = await _gate.EnterAsync();
            if (_isClosed || _session.Status is SessionStatus.Stopped or SessionStatus.Ended)
            {
                failure ??= "the session was ended meanwhile";
                _closed = started is null ? _closed : _services.Starter.RemoveAsync(started);
            }
            else if (failure is null)
            {
                await BecomeActiveAsync(started);
            }
            else
            {
                await FailToWakeAsync(failure);
            }

            _waking = null;
            if (failure is null)
            {
                await PumpAsync();
            }
        }
        finally
        {
            waking.TrySetResult(failure ?? (_sandbox is null ? "the sandbox was lost" : null));
        }
    }

    private async Task<(SessionSandbox? Sandbox, string? Failure)> TryStartAsync()
    {
        try
        {
            return (await _services.Starter.StartAsync(_session, this, _closing.Token), null);
        }
        catch (SandboxException failure)
        {
            LogWakeFailed(failure, Id);
            return (null, failure.Message);
        }
    }

    private async Task BecomeActiveAsync(SessionSandbox? started)
    {
        List<LogEntry> entries = [];
        if (started is not null)
        {
            entries.Add(Facts.SandboxStarted(started.Id, _session.Isolation));
        }

        if (_session.Status is SessionStatus.Paused or SessionStatus.Error or SessionStatus.Stopped)
        {
            entries.Add(started is null ? Facts.Woken("warm", null) : Facts.Woken("cold", "local"));
        }

        await ChangeStatusAsync(SessionStatus.Active, entries);
        _pauseTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (started is null)
        {
            return;
        }

        AttachSandbox(started);
        if (started.Exited.IsCompleted)
        {
            await LoseSandboxAsync("killed", exitCode: null, signal: null);
            return;
        }

        // Ahead of the first message: it has its start behind it when that comes.
        await StartCliAsync(started);
    }

    private async Task FailToWakeAsync(string failure)
    {
        await ChangeStatusAsync(SessionStatus.Error, [Facts.Error(null, "start_failed", failure)]);
        if (_current is { } running)
        {
            await CompleteAsync(running, TurnOutcome.Lost("start_failed", failure));
        }

        while (_waiting.TryDequeue(out var waiting))
        {
            await CompleteAsync(waiting, TurnOutcome.Lost("start_failed", failure));
        }
    }

    private void AttachSandbox(SessionSandbox sandbox)
    {
        _sandbox = sandbox;
        _services.Sandboxes.Add(sandbox, this);
    }

    /// <summary>Starts the CLI in the sandbox, and finds out what of the conversation it will not know. Under the gate.</summary>
    private async Task StartCliAsync(SessionSandbox sandbox)
    {
        var content = _services.Contents.Open(_session.ContentHash);
        var home = _services.Workspaces.Find(_session.WorkspaceId!.Value.ToString()).HomePath;
        var resumes = Transcript.Exists(home, _session.CliSessionId);
        var started = await _services.Turns.FindStartedAsync(Id, _session.ClearedAtTurn, _current?.Id, _closing.Token);
        var known = await Transcript.FindAsync(home, _session.CliSessionId, started, _closing.Token);

        var model = (_current ?? (_waiting.TryPeek(out var next) ? next : null))?.Model ?? _session.Model;
        sandbox.Cli.Begin(model);
        var number = sandbox.Cli.Number;
        await _services.Writer.WriteAsync(Durability.Process, transaction => transaction.SetCliProcess(sandbox.Id, number));

        await sandbox.PostAsync(new StartCli($"start/{number}", CliCommand.Arguments(_session, resumes, model), null));
        var prompt = _session.SystemPrompt ?? content.ReadPrompt();
        var line = content.Settings.AppendsSystemPrompt
            ? ControlLines.Initialize($"initialize-{number}", null, _session.SystemPrompt)
            : ControlLines.Initialize($"initialize-{number}", prompt, null);
        await sandbox.PostAsync(new WriteLine($"initialize/{number}", line.Length), line);

        foreach (var forgotten in started.Where(id => !known.Contains(id)))
        {
            sandbox.Cli.Forgotten.Enqueue(await _services.Turns.ReadAsync(Id, forgotten, _closing.Token));
        }

        if (sandbox.Cli.Forgotten.Count > 0)
        {
            await RestoreNextAsync(sandbox);
        }
    }

    /// <summary>Tells the CLI the next text that it does not know. Its empty result says that it has it.</summary>
    private static Task RestoreNextAsync(SessionSandbox sandbox)
    {
        var turn = sandbox.Cli.Forgotten.Dequeue();
        sandbox.Cli.Restoring = turn.Id;
        sandbox.Cli.IsIdle = false;
        var line = ControlLines.User(turn.Id, turn.Content, shouldQuery: false);
        return sandbox.PostAsync(new WriteLine($"{turn.Id}/restore/{sandbox.Cli.Number}", line.Length), line);
    }

    async Task ISandboxListener.OnExitedAsync(SessionSandbox sandbox, SandboxExit exit)
    {
        using var entered = await _gate.EnterAsync();
        if (_isClosed || sandbox != _sandbox)
        {
            return;
        }

        var cause = exit == SandboxExit.OutOfMemory ? "oom" : "killed";
        LogSandboxLost(Id, sandbox.Id, cause);
        await LoseSandboxAsync(cause, exitCode: null, signal: null);
        await PumpAsync();
    }

    /// <summary>The sandbox is gone, or never came back: says so, and decides what becomes of the running turn. Under the gate.</summary>
    private async Task LoseSandboxAsync(string cause, int? exitCode, int? signal)
    {
        if (_sandbox is { } sandbox)
        {
            _sandbox = null;
            sandbox.Cli.MarkExited();
            _services.Sandboxes.Remove(sandbox);
            _closed = _services.Starter.RemoveAsync(sandbox);
        }

        List<LogEntry> entries = [Facts.SandboxLost(_current?.Id, cause, exitCode, signal)];
        if (cause == "oom")
        {
            entries.Add(Facts.Resource(_current?.Id, "memory"));
        }

        if (_current is { IsHandedOver: true } turn
            && OutcomeOfLoss(turn, cause, "The sandbox was lost in mid-turn.") is { } outcome)
        {
            await CompleteAsync(turn, outcome, [.. entries]);
        }
        else
        {
            await _log.AppendAsync(entries, Durability.Process, IsQuiet);
        }
    }

    /// <summary>Ends the sandbox with grace: the CLI is asked to finish what it writes down, then everything goes.</summary>
    /// <param name="isWanted">Asked under the gate before each step: what came meanwhile may want the sandbox after all.</param>
    /// <returns>Completes when nothing is left.</returns>
    private async Task CloseSandboxAsync(Func<bool> isWanted)
    {
        SessionSandbox? sandbox;
        using (await _gate.EnterAsync())
        {
            sandbox = _sandbox;
            if (sandbox is null || !isWanted())
            {
                return;
            }

            if (sandbox.Cli.IsRunning)
            {
                await sandbox.PostAsync(new CloseInput($"close/{sandbox.Cli.Number}"));
            }
        }

        if (sandbox.Cli.IsRunning)
        {
            await Task.WhenAny(sandbox.Cli.Exited.Task, sandbox.Exited, Task.Delay(ExitPatience, _services.Clock));
        }

        using (await _gate.EnterAsync())
        {
            if (_sandbox != sandbox || !isWanted())
            {
                return;
            }

            _sandbox = null;
            _services.Sandboxes.Remove(sandbox);
            _closed = _services.Starter.RemoveAsync(sandbox);
        }

        await _closed;
    }

    [LoggerMessage(LogLevel.Warning, "Session {SessionId} could not be woken")]
    private partial void LogWakeFailed(Exception failure, Guid sessionId);

    [LoggerMessage(LogLevel.Warning, "Session {SessionId} lost its sandbox {SandboxId}: {Cause}")]
    private partial void LogSandboxLost(Guid sessionId, string sandboxId, string cause);
}
