using Ash.Protocol.Bridge;
using Ash.Runner.Sandboxes;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>The session's sandbox: what runs in it, how it is taken over, closed when nothing needs it, told of when it is lost.</summary>
internal sealed partial class SessionRuntime
{
    private static readonly TimeSpan ExitPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BridgePatience = TimeSpan.FromSeconds(20);
    private Task _closed = Task.CompletedTask;
    private SessionSandbox? _claimed;
    private Hello? _hello;
    private bool _isMeeting;
    private bool _mustBeginAnew;
    private int _lossesInARow;

    private void AttachSandbox(SessionSandbox sandbox)
    {
        _sandbox = sandbox;
        _services.Sandboxes.Add(sandbox, this);
        sandbox.SetPriority(isWaitedFor: HasWork);
        sandbox.GiveTo(this);
    }

    /// <summary>The sandbox that was started before the session was there; null once it is taken, and for most sessions.</summary>
    private SessionSandbox? TakeClaimed() => Interlocked.Exchange(ref _claimed, null);

    /// <summary>Ends a sandbox beside whoever wants it gone. Under the gate.</summary>
    private void Discard(SessionSandbox? sandbox)
    {
        if (sandbox is not null)
        {
            _closed = RemoveAsync(_closed, sandbox);
        }
    }

    private async Task RemoveAsync(Task before, SessionSandbox sandbox)
    {
        await before;
        await _services.Starter.RemoveAsync(sandbox, workspaceId: null, _closing.Token);
    }

    private async Task<bool> TryStartCliAsync(SessionSandbox sandbox)
    {
        try
        {
            await StartCliAsync(sandbox);
            return true;
        }
        catch (SandboxException failure)
        {
            await FailToWakeAsync(failure.Message);
            return false;
        }
    }

    /// <summary>Starts the CLI before anybody waits for it, when its turn among all such starts has come.</summary>
    private async Task StartCliAheadAsync(SessionSandbox sandbox)
    {
        using var slot = await _services.CliStarts.EnterAsync(_closing.Token);
        var cli = sandbox.Cli;
        using (await _gate.EnterAsync())
        {
            if (_sandbox != sandbox || _session.Status != SessionStatus.Active || cli.IsRunning || HasWork || IsLeaving)
            {
                return;
            }

            try
            {
                await StartCliAsync(sandbox);
            }
            catch (SandboxException failure)
            {
                // Nobody has asked for anything yet: the first message tries again, and says what is wrong.
                LogStartAheadFailed(failure, Id);
                return;
            }
        }

        await Task.WhenAny(cli.Answered.Task, cli.Exited.Task, sandbox.Exited, Task.Delay(StartPatience, _services.Clock, _closing.Token));
    }

    /// <summary>
    /// Opens the conversation with the CLI of the sandbox, which is started for that unless it was already, with whatever it
    /// will not know ready to be told. Under the gate.
    /// </summary>
    /// <exception cref="SandboxException">The agent's files are gone, or what the CLI must be told cannot be opened; nothing was started.</exception>
    private async Task StartCliAsync(SessionSandbox sandbox)
    {
        var content = _services.Contents.Open(_session.ContentHash);
        var loadsFile = content.Settings.AppendsSystemPrompt;
        var text = loadsFile ? _session.SystemPrompt : _session.SystemPrompt ?? content.ReadPrompt();

        // The agent that a session begins with has a prompt of its own, which the file's must not replace.
        var appends = loadsFile || SessionOptions.HasInitialAgent(_session.Config);
        var cli = sandbox.Cli;
        if (cli.IsRunning)
        {
            await RememberCliAsync(sandbox, cli.Number, cli.Flags);
        }
        else
        {
            await BeginCliAsync(sandbox);
        }

        var line = ControlLines.Initialize($"initialize-{cli.Number}", appends ? null : text, appends ? text : null);
        sandbox.Post(new WriteLine($"initialize/{cli.Number}", line.Length), line);
        await RestoreAsync(sandbox);
    }

    private async Task BeginCliAsync(SessionSandbox sandbox)
    {
        var home = _services.Workspaces.Find(_session.WorkspaceId!.Value.ToString()).HomePath;
        if (_mustBeginAnew || await Conversation.IsUnusableAsync(_session, home, _closing.Token))
        {
            await RenameConversationAsync();
        }

        var secrets = _services.Sealed.Open(_session);
        var start = await _services.Conversation.FindStartAsync(_session, home, _current?.Id, _closing.Token);
        if (start.Forgotten.Count == 0)
        {
            await RememberCliAsync(sandbox, sandbox.Cli.Number + 1, FlagsFor(NextTurn));
        }

        var turn = NextTurn;
        CliCommand.Start(sandbox, _session, secrets, start, turn?.Model ?? _session.Model, turn?.Options);
    }

    /// <summary>A transcript that cannot be resumed is left behind: the log has all that is needed to begin a new one.</summary>
    private async Task RenameConversationAsync()
    {
        var name = Guid.CreateVersion7();
        await _services.Writer.WriteAsync(Durability.Process, transaction => transaction.SetConversation(Id, name, _session.ClearedAtTurn));
        _session.CliSessionId = name;
        _mustBeginAnew = false;
    }

    /// <summary>Tells an idle CLI what it does not know, up to the next text: that one's empty result says that it has it.</summary>
    private async Task RestoreAsync(SessionSandbox sandbox)
    {
        var cli = sandbox.Cli;
        if (!cli.IsIdle || cli.Restoring is not null || cli.Forgotten.Count == 0)
        {
            return;
        }

        while (cli.Restoring is null && cli.Forgotten.TryDequeue(out var forgotten))
        {
            if (forgotten.HasResult)
            {
                cli.Restoring = forgotten.Id;
                cli.IsIdle = false;
            }

            sandbox.Post(new WriteLine($"{forgotten.Id}/restore/{cli.Number}", forgotten.Line.Length), forgotten.Line);
        }

        if (cli.Restoring is null)
        {
            await RememberCliAsync(sandbox, cli.Number, cli.Flags);
        }
    }

    /// <summary>The row names the last process that was told everything: another one is of no use to the next server.</summary>
    private Task RememberCliAsync(SessionSandbox sandbox, int number, string flags) =>
        _services.Writer.WriteAsync(Durability.Process, transaction => transaction.SetCliProcess(sandbox.Id, number, flags));

    /// <summary>What a process must have been started with to run a turn; where there is none, to wait for one.</summary>
    private string FlagsFor(Turn? turn) => CliProcess.TextOf(CliCommand.Flags(_session, turn?.Options));

    /// <summary>
    /// Ends an idle process that was started with other flags than the next turn needs. Its end brings the next one, which goes on
    /// with the conversation. Under the gate.
    /// </summary>
    private void ReplaceCli(SessionSandbox sandbox)
    {
        var number = sandbox.Cli.Number;
        var exited = sandbox.Cli.Exited.Task;
        CloseInput(sandbox);
        RunBeside(async () =>
        {
            await Task.WhenAny(exited, sandbox.Exited, Task.Delay(ExitPatience, _services.Clock, _closing.Token));
            using var entered = await _gate.EnterAsync();
            if (!_isClosed && _sandbox == sandbox && sandbox.Cli.IsRunning && sandbox.Cli.Number == number)
            {
                KillCli(sandbox);
            }
        });
    }

    /// <summary>Ends the CLI and all else inside but the bridge; where the bridge does not do it, it ends with them.</summary>
    private void KillCli(SessionSandbox sandbox)
    {
        var number = sandbox.Cli.Number;
        var exited = sandbox.Cli.Exited.Task;
        sandbox.Post(new KillCli($"kill/{number}"));
        RunBeside(async () =>
        {
            await Task.WhenAny(exited, sandbox.Exited, Task.Delay(StopPatience, _services.Clock, _closing.Token));
            using var entered = await _gate.EnterAsync();
            if (!_isClosed && _sandbox == sandbox && sandbox.Cli.IsRunning && sandbox.Cli.Number == number && !sandbox.Exited.IsCompleted)
            {
                LogSandboxLost(Id, sandbox.Id, "bridge");
                await LoseSandboxAsync("bridge");
                await PumpAsync();
            }
        });
    }

    /// <summary>Takes over a sandbox of an earlier server. What its CLI does is known once its bridge has called. Under the gate.</summary>
    private void TakeOver(SessionSandbox adopted, SandboxRecord record)
    {
        adopted.Cli.TakeOver(record.CliProcess, record.CliFlags ?? string.Empty);
        adopted.Cli.OutOfMemoryKills = adopted.OutOfMemoryKills;
        _isMeeting = true;
        _hello = null;
        AttachSandbox(adopted);
        adopted.Listen();
        RunBeside(() => MeetAsync(adopted));
        if (_current is not null)
        {
            _turnTimer.Change(_services.Settings.TurnTimeout, Timeout.InfiniteTimeSpan);
        }
        else if (_session.Status is SessionStatus.Paused)
        {
            ArmPauseTimer();
        }
    }

    private async Task MeetAsync(SessionSandbox adopted)
    {
        Hello? hello = null;
        try
        {
            hello = await adopted.Connected.WaitAsync(BridgePatience, _services.Clock, _closing.Token);
        }
        catch (Exception failure) when (failure is TimeoutException or SandboxException)
        {
            LogSandboxLost(Id, adopted.Id, "bridge");
        }

        using var entered = await _gate.EnterAsync();
        if (_isClosed || _sandbox != adopted || !_isMeeting)
        {
            return;
        }

        if (hello is null)
        {
            await LoseSandboxAsync("bridge");
            await PumpAsync();
            return;
        }

        _hello = hello;
        await SettleAsync(adopted);
    }

    /// <summary>Once everything that the bridge had kept was heard, what it said in its hello can be compared. Under the gate.</summary>
    private async Task SettleAsync(SessionSandbox adopted)
    {
        if (_hello is not { } hello || adopted.LastFrame < hello.Head)
        {
            return;
        }

        var cli = adopted.Cli;
        if (cli.IsRunning && hello.Process == 0)
        {
            // It ended before, or was never started, and nobody has said so.
            var reading = new BatchReading();
            ReadExit(adopted, new CliExited(cli.Number), reading);
            await StoreAsync(adopted, reading, adopted.LastFrame);
            EndMeeting();
            await GoOnAsync(adopted, reading);
            return;
        }

        EndMeeting();
        if (cli.IsRunning && hello.Process != cli.Number)
        {
            // Nobody knows what it was told. It has had no prompt: the next is told everything.
            cli.TakeOver(hello.Process, cli.Flags);
            cli.IsClosing = true;
            if (_current is { } undone)
            {
                undone.IsHandedOver = false;
            }

            KillCli(adopted);
        }
        else if (cli.IsRunning && _current is { IsHandedOver: true } running)
        {
            // The bridge executes a command once: this writes the prompt only if it was not written.
            WriteModel(adopted, running);
            WriteTurn(adopted, running);
        }
        else if (cli.IsRunning)
        {
            cli.IsIdle = true;
        }

        await PumpAsync();
    }

    private void EndMeeting()
    {
        _isMeeting = false;
        _hello = null;
    }

    void ISandboxListener.OnExited(SessionSandbox sandbox, SandboxExit exit) => RunBeside(() => TakeExitAsync(sandbox, exit));

    private async Task TakeExitAsync(SessionSandbox sandbox, SandboxExit exit)
    {
        using var entered = await _gate.EnterAsync();
        if (_isClosed || sandbox != _sandbox)
        {
            return;
        }

        var cause = exit == SandboxExit.OutOfMemory ? "oom" : "killed";
        LogSandboxLost(Id, sandbox.Id, cause);
        await LoseSandboxAsync(cause);
        await PumpAsync();
    }

    /// <summary>The sandbox is gone, or never came back: says so, and decides what becomes of the running turn. Under the gate.</summary>
    private async Task LoseSandboxAsync(string cause)
    {
        List<LogEntry> entries = [Facts.SandboxLost(_current?.Id, cause, exitCode: null, signal: null)];
        if (cause == "oom")
        {
            entries.Add(Facts.Resource(_current?.Id, "memory"));
        }

        var turn = _current is { IsHandedOver: true } running ? running : null;
        SandboxLogLine[] lines = [SandboxLog.FromServer($"The sandbox is lost: {cause}.")];
        if (turn is not null && OutcomeOfLoss(turn, cause, "The sandbox was lost in mid-turn.") is { } outcome)
        {
            await CompleteAsync(turn, outcome, entries, lines);
        }
        else
        {
            await _log.AppendAsync(entries, Durability.Process, IsQuiet, (transaction, rows) =>
                SandboxLog.Append(transaction, Id, lines, rows[0].At));
            turn?.IsHandedOver = false;
        }

        if (_sandbox is { } sandbox)
        {
            _sandbox = null;
            sandbox.Cli.MarkExited();
            _services.Sandboxes.Remove(sandbox);
            Discard(sandbox);
        }

        EndMeeting();
        if (turn is null)
        {
            await CountLossAsync(cause);
        }
    }

    /// <summary>A turn that no process lives long enough to take is not tried for ever. Under the gate.</summary>
    private async Task CountLossAsync(string cause)
    {
        if (!HasWork)
        {
            _lossesInARow = 0;
            return;
        }

        if (++_lossesInARow < MaxAttempts)
        {
            return;
        }

        _lossesInARow = 0;
        var outcome = TurnOutcome.Lost(cause, "The agent's process ended again and again before it could take the message.");
        if (_current is { } again)
        {
            await CompleteAsync(again, outcome);
        }
        else
        {
            await CompleteAsync(_waiting.Peek(), outcome);
            _waiting.Dequeue();
        }
    }

    /// <summary>Asks the CLI to finish what it writes down, and to end.</summary>
    private static void CloseInput(SessionSandbox sandbox)
    {
        sandbox.Cli.IsClosing = true;
        sandbox.Post(new CloseInput($"close/{sandbox.Cli.Number}"));
    }

    /// <summary>Ends the sandbox with grace: the CLI is asked to finish what it writes down, then everything goes.</summary>
    /// <param name="isWanted">Asked under the gate before each step: what came meanwhile may want the sandbox after all.</param>
    /// <returns>Completes when nothing is left.</returns>
    private async Task CloseSandboxAsync(Func<bool> isWanted)
    {
        SessionSandbox? sandbox;
        using (await _gate.EnterAsync())
        {
            Discard(TakeClaimed());
            sandbox = _sandbox;
            if (sandbox is null || !isWanted())
            {
                return;
            }

            if (sandbox.Cli.IsRunning)
            {
                CloseInput(sandbox);
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
            sandbox.Cli.MarkExited();
            EndMeeting();
            _services.Sandboxes.Remove(sandbox);
            Discard(sandbox);
        }

        await _closed;
    }

    [LoggerMessage(LogLevel.Warning, "Session {SessionId} lost its sandbox {SandboxId}: {Cause}")]
    private partial void LogSandboxLost(Guid sessionId, string sandboxId, string cause);

    [LoggerMessage(LogLevel.Warning, "The CLI of session {SessionId} could not be started ahead of its first message")]
    private partial void LogStartAheadFailed(Exception failure, Guid sessionId);
}
