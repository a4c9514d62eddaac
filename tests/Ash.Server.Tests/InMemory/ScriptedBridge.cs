using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Ash.Protocol.Bridge;
using Ash.Runner.Bridges;

namespace Ash.Server.Tests.InMemory;

/// <summary>A bridge and the CLI behind it, as far as the server can tell.</summary>
internal sealed class ScriptedBridge(ScriptedSandboxHost host) : IBridgeConnection
{
    private readonly Channel<(BridgeEvent Header, byte[] Payload)> _said =
        Channel.CreateUnbounded<(BridgeEvent, byte[])>(new UnboundedChannelOptions { SingleReader = true });

    private int _process;
    private string? _working;
    private bool _heedsInterrupts;
    private long _number;

    public Hello Hello => new(BridgeProtocol.Version, 1, 0, 0, 0);

    public ValueTask SendAsync(BridgeCommand command, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (command is IdentifiedCommand identified)
        {
            Say(new CommandDone(identified.Id, Ok: true));
        }

        switch (command)
        {
            case Configure configure:
                host.Environment = configure.Environment;
                break;
            case StartCli start:
                host.CliArguments = start.Arguments;
                Say(new CliStarted(++_process, 100));
                break;
            case WriteLine:
                Read(payload);
                break;
            case KillCli:
                Say(new CliExited(_process, Signal: 9));
                break;
            case CloseInput:
                Say(new CliExited(_process, Code: 0));
                break;
            case Exec exec when host.ExecHold is { } hold:
                host.ExecBegun.TrySetResult();
                _ = hold.Task.ContinueWith(_ => Say(new ExecExited(exec.Id, Code: 0)), TaskScheduler.Default);
                break;
            case Exec exec:
                Say(new ExecExited(exec.Id, Code: 0));
                break;
        }

        return ValueTask.CompletedTask;
    }

    public async Task RunAsync(IBridgeFrameHandler handler, CancellationToken cancellationToken)
    {
        await foreach (var (header, payload) in _said.Reader.ReadAllAsync(cancellationToken))
        {
            handler.OnFrame(header with { Number = ++_number }, new ReadOnlySequence<byte>(payload));
            await handler.OnBatchAsync(cancellationToken);
        }
    }

    public ValueTask DisposeAsync()
    {
        _said.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    private void Read(ReadOnlyMemory<byte> line)
    {
        host.Told.Enqueue(Encoding.UTF8.GetString(line.Span));
        using var document = JsonDocument.Parse(line);
        var message = document.RootElement;
        if (message.GetProperty("type").GetString() == "user" && host.Remark is { } remark)
        {
            for (var said = 0; said < host.Remarks; said++)
            {
                Say(remark);
            }
        }

        foreach (var error in message.GetProperty("type").GetString() == "user" ? host.Errors : [])
        {
            var bytes = Encoding.UTF8.GetBytes(error);
            _said.Writer.TryWrite((new CliErrorLine(_process, bytes.Length), bytes));
        }

        switch (message.GetProperty("type").GetString())
        {
            case "user" when message.TryGetProperty("shouldQuery", out _):
                Finish(message.GetProperty("uuid").GetString()!, "success", isError: false);
                break;
            case "user" when host.Manner == CliManner.Answers:
                Say("""{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"an"}}}""");
                Say("""{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"swer"}}}""");
                Say("""{"type":"assistant","message":{"content":[{"type":"text","text":"answer"}]}}""");
                Finish(message.GetProperty("uuid").GetString()!, "success", isError: false);
                break;
            case "user":
                _working = message.GetProperty("uuid").GetString();
                _heedsInterrupts = host.Manner == CliManner.Waits;
                break;
            case "control_request":
                Answer(message);
                break;
        }
    }

    /// <summary>Every request is answered; before its first answer the server takes no result for one.</summary>
    private void Answer(JsonElement request)
    {
        var id = request.GetProperty("request_id").GetString();
        Say($$$"""{"type":"control_response","response":{"subtype":"success","request_id":"{{{id}}}"}}""");
        if (_working is { } working
            && _heedsInterrupts
            && request.GetProperty("request").GetProperty("subtype").GetString() == "interrupt")
        {
            _working = null;
            Finish(working, "error_during_execution", isError: true);
        }
    }

    private void Finish(string uuid, string subtype, bool isError)
    {
        Say($$"""{"type":"result","subtype":"{{subtype}}","is_error":{{(isError ? "true" : "false")}},"num_turns":1,"result":"{{host.Answer}}","usage":{{host.Usage}},"user_message_uuids":["{{uuid}}"]}""");
        Say("""{"type":"system","subtype":"session_state_changed","state":"idle"}""");
    }

    private void Say(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line);
        _said.Writer.TryWrite((new CliLine(_process, bytes.Length), bytes));
    }

    private void Say(BridgeEvent header) => _said.Writer.TryWrite((header, []));
}
