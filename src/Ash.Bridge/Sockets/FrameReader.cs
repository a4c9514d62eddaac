using Ash.Bridge.Frames;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Sockets;

/// <summary>Finds commands in what was received. A payload stays in the queue, for the command to take.</summary>
internal sealed class FrameReader(ByteQueue received)
{
    private BridgeCommand? _announced; // Its header was read, its payload has not all come yet.
    private long _searched; // That many bytes at the front have no line end.

    /// <summary>A command all of whose payload is at the front of the queue; false where there is none yet.</summary>
    /// <exception cref="FrameException">What is there can never become a frame.</exception>
    internal bool TryRead(out BridgeCommand command)
    {
        _announced ??= ReadHeader();
        command = _announced!; // Only looked at where the method returns true.
        if (_announced is null || received.Length < ((_announced as IPayloadFrame)?.Bytes ?? 0))
        {
            return false;
        }

        _announced = null;
        return true;
    }

    /// <summary>The queue was cleared: a new connection begins.</summary>
    internal void Reset()
    {
        _announced = null;
        _searched = 0;
    }

    private BridgeCommand? ReadHeader()
    {
        var end = FindLineEnd();
        if ((end < 0 ? received.Length : end) > BridgeProtocol.MaxHeaderBytes)
        {
            throw new FrameException("A frame's header is too long.");
        }

        if (end < 0)
        {
            _searched = received.Length;
            return null;
        }

        _searched = 0;
        var header = received.Front.Length >= end ? Parse(received.Front[..(int)end]) : Parse(Joined((int)end));
        received.Skip(end + 1);
        return header;
    }

    private static BridgeCommand Parse(ReadOnlySpan<byte> header) => FrameFormat.ReadCommandHeader(header);

    private long FindLineEnd()
    {
        var before = 0L;
        for (var segment = received.Head; segment is not null; segment = segment.Next)
        {
            var bytes = segment.Filled;
            var from = (int)Math.Clamp(_searched - before, 0, bytes.Length);
            if (bytes[from..].IndexOf((byte)'\n') is var found and >= 0)
            {
                return before + from + found;
            }

            before += bytes.Length;
        }

        return -1;
    }

    private byte[] Joined(int length)
    {
        var joined = new byte[length];
        var filled = 0;
        for (var segment = received.Head; segment is not null && filled < length; segment = segment.Next)
        {
            var part = segment.Filled[..Math.Min(segment.Filled.Length, length - filled)];
            part.CopyTo(joined.AsSpan(filled));
            filled += part.Length;
        }

        return joined;
    }
}
