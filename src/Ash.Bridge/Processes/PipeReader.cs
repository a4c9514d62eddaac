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

    private readonly EventLoop loop;
    private readonly IPipeSink sink;
    private readonly Memory<byte> buffer;
    private int descriptor;
    private long? left;

    /// <param name="loop">Watches the pipe until its end.</param>
    /// <param name="descriptor">The pipe's reading end, owned by this from now on.</param>
    /// <param name="buffer">Scratch space that all of the loop's members share.</param>
    /// <param name="sink">Gets the bytes.</param>
    internal PipeReader(EventLoop loop, int descriptor, Memory<byte> buffer, IPipeSink sink)
    {
        this.loop = loop;
        this.descriptor = descriptor;
        this.buffer = buffer;
        this.sink = sink;
        Native.Descriptor.MakeNonBlocking(descriptor);
        loop.Add(this);
    }

    public int Descriptor => descriptor;

    public PollEvents Interest => sink.HasRoom ? PollEvents.Readable : PollEvents.None;

    public void OnReady(PollEvents events)
    {
        var room = buffer.Span[..(int)Math.Min(MaxRead, left ?? MaxRead)];
        var count = Native.Descriptor.Read(descriptor, room);
        if (count < 0 && Errno.Last == Errno.Again)
        {
            return;
        }

        if (count > 0)
        {
            left -= count;
            sink.OnBytes(room[..count]);
        }

        if (count <= 0 || left == 0)
        {
            End();
        }
    }

    /// <summary>Takes what is in the pipe by now, and then ends: another process may hold it open for ever.</summary>
    internal void EndAfterWhatIsThere()
    {
        if (descriptor == Native.Descriptor.None)
        {
            return;
        }

        left = Libc.DeviceControl(descriptor, Libc.BytesToRead, out var count) == 0 ? count : 0;
        if (left == 0)
        {
            End();
        }
    }

    private void End()
    {
        loop.Remove(this);
        Native.Descriptor.Close(ref descriptor);
        sink.OnEnd();
    }
}
