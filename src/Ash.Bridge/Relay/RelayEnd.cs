using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;

namespace Ash.Bridge.Relay;

/// <summary>One socket of a relayed connection, and what waits to be written to it.</summary>
internal sealed class RelayEnd : IPollable
{
    private readonly EventLoop loop;
    private readonly ByteQueue waiting;
    private readonly RelayConnection connection;
    private int descriptor;
    private bool hasReadAll;
    private bool endsAfterWaiting;
    private bool hasWrittenAll;

    internal RelayEnd(EventLoop loop, SegmentPool pool, int descriptor, RelayConnection connection)
    {
        this.loop = loop;
        this.descriptor = descriptor;
        this.connection = connection;
        waiting = new(pool);
        loop.Add(this);
    }

    public int Descriptor => descriptor;

    public PollEvents Interest =>
        (!hasReadAll && connection.OtherEnd(this).waiting.IsEmpty ? PollEvents.Readable : PollEvents.None)
        | (waiting.IsEmpty ? PollEvents.None : PollEvents.Writable);

    /// <summary>Both directions have ended here.</summary>
    internal bool IsDone => hasReadAll && hasWrittenAll;

    public void OnReady(PollEvents events)
    {
        if (!waiting.IsEmpty)
        {
            Write();
        }

        if (descriptor != Native.Descriptor.None && !hasReadAll && connection.OtherEnd(this).waiting.IsEmpty)
        {
            Read();
        }
    }

    /// <summary>True where it was still open.</summary>
    internal bool Close()
    {
        if (descriptor == Native.Descriptor.None)
        {
            return false;
        }

        loop.Remove(this);
        Native.Descriptor.Close(ref descriptor);
        waiting.Clear();
        return true;
    }

    private void Read()
    {
        var other = connection.OtherEnd(this);
        var count = Native.Descriptor.Read(descriptor, other.waiting.Room);
        if (count > 0)
        {
            other.waiting.Advance(count);
            other.Write();
        }
        else if (count == 0)
        {
            hasReadAll = true;
            other.endsAfterWaiting = true;
            other.Write();
        }
        else if (Errno.Last != Errno.Again)
        {
            connection.End();
        }
        else
        {
            other.waiting.Clear(); // Nothing came after all.
        }
    }

    private void Write()
    {
        while (!waiting.IsEmpty)
        {
            var count = Native.Descriptor.Write(descriptor, waiting.Front);
            if (count < 0)
            {
                if (Errno.Last != Errno.Again)
                {
                    connection.End();
                }

                return;
            }

            waiting.Skip(count);
        }

        waiting.Clear();
        if (endsAfterWaiting && !hasWrittenAll)
        {
            hasWrittenAll = true;
            Libc.ShutDown(descriptor, Libc.ShutdownWriting);
            connection.EndIfDone();
        }
    }
}
