using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;

namespace Ash.Bridge.Relay;

/// <summary>One socket of a relayed connection, and what waits to be written to it.</summary>
internal sealed class RelayEnd : IPollable
{
    private readonly EventLoop _loop;
    private readonly ByteQueue _waiting;
    private readonly RelayConnection _connection;
    private int _descriptor;
    private bool _hasReadAll;
    private bool _endsAfterWaiting;
    private bool _hasWrittenAll;

    internal RelayEnd(EventLoop loop, SegmentPool pool, int descriptor, RelayConnection connection)
    {
        _loop = loop;
        _descriptor = descriptor;
        _connection = connection;
        _waiting = new(pool);
        loop.Add(this);
    }

    public int Descriptor => _descriptor;

    public PollEvents Interest =>
        (!_hasReadAll && _connection.OtherEnd(this)._waiting.IsEmpty ? PollEvents.Readable : PollEvents.None)
        | (_waiting.IsEmpty ? PollEvents.None : PollEvents.Writable);

    /// <summary>Both directions have ended here.</summary>
    internal bool IsDone => _hasReadAll && _hasWrittenAll;

    public void OnReady(PollEvents events)
    {
        if (!_waiting.IsEmpty)
        {
            Write();
        }

        if (_descriptor != Native.Descriptor.None && !_hasReadAll && _connection.OtherEnd(this)._waiting.IsEmpty)
        {
            Read();
        }
    }

    /// <summary>True where it was still open.</summary>
    internal bool Close()
    {
        if (_descriptor == Native.Descriptor.None)
        {
            return false;
        }

        _loop.Remove(this);
        Native.Descriptor.Close(ref _descriptor);
        _waiting.Clear();
        return true;
    }

    private void Read()
    {
        var other = _connection.OtherEnd(this);
        var count = Native.Descriptor.Read(_descriptor, other._waiting.Room);
        if (count > 0)
        {
            other._waiting.Advance(count);
            other.Write();
        }
        else if (count == 0)
        {
            _hasReadAll = true;
            other._endsAfterWaiting = true;
            other.Write();
        }
        else if (Errno.Last != Errno.Again)
        {
            _connection.End();
        }
        else
        {
            other._waiting.Clear(); // Nothing came after all.
        }
    }

    private void Write()
    {
        while (!_waiting.IsEmpty)
        {
            var count = Native.Descriptor.Write(_descriptor, _waiting.Front);
            if (count < 0)
            {
                if (Errno.Last != Errno.Again)
                {
                    _connection.End();
                }

                return;
            }

            _waiting.Skip(count);
        }

        _waiting.Clear();
        if (_endsAfterWaiting && !_hasWrittenAll)
        {
            _hasWrittenAll = true;
            Libc.ShutDown(_descriptor, Libc.ShutdownWriting);
            _connection.EndIfDone();
        }
    }
}
