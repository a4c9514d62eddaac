using Ash.Bridge.Loop;
using Ash.Bridge.Native;

namespace Ash.Bridge.Processes;

/// <summary>Takes what comes out of a pipe.</summary>
internal interface IPipeSink
{
    /// <summary>False while there is no room; the pipe then fills up and its writer waits.</summary>
    bool HasRoom { get; }

    void OnBytes(ReadOnlySpan<byte> bytes);

    /// <summary>No more will come. Called once.</summary>
    void OnEnd();
}

/// <summary>Reads one pipe to its end.</summary>
internal sealed class PipeReader : IPollable
{
    internal const int MaxRead = 64 * 1024;

    private readonly EventLoop _loop;
    private readonly IPipeSink _sink;
    private readonly Memory<byte> _buffer;
    private int _descriptor;
    private long? _left;

    /// <param name="loop">Watches the pipe until its end.</param>
    /// <param name="descriptor">The pipe's reading end, owned by this from now on.</param>
    /// <param name="buffer">Scratch space that all of the loop's members share.</param>
    /// <param name="sink">Gets the bytes.</param>
    internal PipeReader(EventLoop loop, int descriptor, Memory<byte> buffer, IPipeSink sink)
    {
        _loop = loop;
        _descriptor = descriptor;
        _buffer = buffer;
        _sink = sink;
        Native.Descriptor.MakeNonBlocking(descriptor);
        loop.Add(this);
    }

    public int Descriptor => _descriptor;

    public PollEvents Interest => _sink.HasRoom ? PollEvents.Readable : PollEvents.None;

    public void OnReady(PollEvents events)
    {
        var room = _buffer.Span[..(int)Math.Min(MaxRead, _left ?? MaxRead)];
        var count = Native.Descriptor.Read(_descriptor, room);
        if (count < 0 && Errno.Last == Errno.Again)
        {
            return;
        }

        if (count > 0)
        {
            _left -= count;
            _sink.OnBytes(room[..count]);
        }

        if (count <= 0 || _left == 0)
        {
            End();
        }
    }

    /// <summary>Takes what is in the pipe by now, and then ends: another process may hold it open for ever.</summary>
    internal void EndAfterWhatIsThere()
    {
        if (_descriptor == Native.Descriptor.None)
        {
            return;
        }

        _left = Libc.DeviceControl(_descriptor, Libc.BytesToRead, out var count) == 0 ? count : 0;
        if (_left == 0)
        {
            End();
        }
    }

    private void End()
    {
        _loop.Remove(this);
        Native.Descriptor.Close(ref _descriptor);
        _sink.OnEnd();
    }
}
