using Ash.Bridge.Frames;
using Ash.Bridge.Processes;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Commands;

/// <summary>Executes each command once and answers it with one <see cref="CommandDone"/>.</summary>
internal sealed class CommandExecutor(Outbox outbox, Children children, Cli cli, Executions executions, Action onShutdown)
{
    private readonly CommandMemory _memory = new(BridgeProtocol.RememberedCommands);
    private IReadOnlyDictionary<string, string> _environment = new Dictionary<string, string>();

    /// <summary>Takes its payload, whole, from the front of <paramref name="payload"/>.</summary>
    internal void Execute(IdentifiedCommand command, ByteQueue payload)
    {
        if (_memory.TryBegin(command.Id, out var outcome))
        {
            Begin(command, payload);
            return;
        }

        payload.Skip((command as IPayloadFrame)?.Bytes ?? 0);
        if (outcome is not null)
        {
            outbox.Add(outcome);
        }
    }

    private void Begin(IdentifiedCommand command, ByteQueue payload)
    {
        switch (command)
        {
            case Configure configure:
                Configure(configure);
                break;
            case StartCli start:
                StartCli(start);
                break;
            case WriteLine write:
                cli.WriteLine(payload, write.Bytes, error => Finish(command, error));
                break;
            case CloseInput:
                cli.CloseInput(error => Finish(command, error));
                break;
            case KillCli:
                children.KillAll(() => Finish(command, null));
                break;
            case Exec exec:
                executions.Start(exec, _environment, error => Finish(command, error));
                break;
            case KillExec kill:
                executions.Kill(kill.Target);
                Finish(command, null);
                break;
            case Shutdown:
                children.KillAll(() =>
                {
                    Finish(command, null);
                    onShutdown();
                });
                break;
            default:
                Finish(command, "This bridge does not know the command.");
                break;
        }
    }

    private void Configure(Configure command)
    {
        var error = ProcessText.FaultOf(command.Environment);
        if (error is null)
        {
            _environment = command.Environment;
        }

        Finish(command, error);
    }

    private void StartCli(StartCli command)
    {
        var added = command.Environment ?? new Dictionary<string, string>();
        if ((ProcessText.FaultOf(command.Arguments) ?? ProcessText.FaultOf(added)) is { } error)
        {
            Finish(command, error);
            return;
        }

        var merged = new Dictionary<string, string>(_environment);
        foreach (var (name, value) in added)
        {
            merged[name] = value;
        }

        cli.Start(command.Arguments, merged, error => Finish(command, error));
    }

    private void Finish(IdentifiedCommand command, string? error)
    {
        var outcome = new CommandDone(command.Id, error is null, error);
        _memory.Finish(outcome);
        outbox.Add(outcome);
    }
}
