using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Tests.Sandboxes;

/// <summary>A frame that the bridge sent.</summary>
internal sealed record Frame(BridgeEvent Header, byte[] Payload)
{
    internal string Text => Encoding.UTF8.GetString(Payload);
}

/// <summary>The server's end of one connection, in the hands of a test.</summary>
internal sealed class Conversation : IDisposable
{
    private readonly Socket _socket;
    private byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;

    private Conversation(Socket socket) => _socket = socket;

    internal Hello Hello { get; private set; } = new(0, 0, 0, 0, 0);

    internal static async Task<Conversation> BeginAsync(Socket socket)
    {
        var conversation = new Conversation(socket);
        conversation.Hello = Assert.IsType<Hello>((await conversation.NextAsync()).Header);
        return conversation;
    }

    internal async Task SendAsync(BridgeCommand command, ReadOnlyMemory<byte> payload = default)
    {
        var bytes = new ArrayBufferWriter<byte>();
        FrameFormat.Write(bytes, command, payload.Span);
        for (var rest = bytes.WrittenMemory; !rest.IsEmpty;)
        {
            rest = rest[await _socket.SendAsync(rest, Deadline.Token)..];
        }
    }

    internal async Task SendRawAsync(string text) => await _socket.SendAsync(Encoding.UTF8.GetBytes(text), Deadline.Token);

    internal Task WriteLineAsync(string id, string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line);
        return SendAsync(new WriteLine(id, bytes.Length), bytes);
    }

    /// <summary>Sends a command and reads up to its answer.</summary>
    internal async Task<CommandDone> AskAsync(IdentifiedCommand command)
    {
        await SendAsync(command);
        return (CommandDone)(await UntilAsync(frame => frame.Header is CommandDone done && done.Id == command.Id)).Header;
    }

    internal async Task<Frame> NextAsync() =>
        await TryNextAsync() ?? throw new InvalidOperationException("The bridge closed the connection.");

    /// <summary>Null where the bridge has closed the connection.</summary>
    internal async Task<Frame?> TryNextAsync()
    {
        while (true)
        {
            if (TryTake() is { } frame)
            {
                return frame;
            }

            if (_end == _buffer.Length)
            {
                MakeRoom();
            }

            var count = await _socket.ReceiveAsync(_buffer.AsMemory(_end), Deadline.Token);
            if (count == 0)
            {
                return null;
            }

            _end += count;
        }
    }

    /// <summary>Reads up to the first frame of a kind.</summary>
    internal Task<Frame> UntilAsync<T>()
        where T : BridgeEvent => UntilAsync(frame => frame.Header is T);

    internal async Task<Frame> UntilAsync(Func<Frame, bool> isWanted)
    {
        while (true)
        {
            if (await NextAsync() is var frame && isWanted(frame))
            {
                return frame;
            }
        }
    }

    /// <summary>All frames up to the first of a kind, that one included.</summary>
    internal async Task<List<Frame>> AllUntilAsync<T>()
        where T : BridgeEvent
    {
        var frames = new List<Frame>();
        do
        {
            frames.Add(await NextAsync());
        }
        while (frames[^1].Header is not T);

        return frames;
    }

    public void Dispose() => _socket.Dispose();

    private Frame? TryTake()
    {
        var input = new ReadOnlySequence<byte>(_buffer.AsMemory(_start, _end - _start));
        if (!FrameFormat.TryRead(ref input, out BridgeEvent header, out var payload))
        {
            return null;
        }

        _start = _end - (int)input.Length;
        return new(header, payload.ToArray());
    }

    private void MakeRoom()
    {
        var target = _start > 0 ? _buffer : new byte[2 * _buffer.Length];
        _buffer.AsSpan(_start, _end - _start).CopyTo(target);
        (_buffer, _end, _start) = (target, _end - _start, 0);
    }
}
