using Ash.Bridge.Commands;
using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;
using Ash.Bridge.Processes;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Sockets;

/// <summary>The connection to the server. Dialled again whenever it breaks; nothing is lost but time.</summary>
internal sealed class HostLink : IPollable
{
    private const int MaxReadRounds = 16;
    private const long MaxBytesPerFlush = 1024 * 1024;

    private static readonly TimeSpan FirstRedial = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastRedial = TimeSpan.FromSeconds(1);

    private readonly EventLoop _loop;
    private readonly Outbox _outbox;
    private readonly FrameReader _frames;
    private readonly ByteQueue _received;
    private readonly Cli _cli;
    private readonly CommandExecutor _commands;
    private readonly byte[] _address;
    private readonly TimeSpan _orphanTimeout;
    private readonly Action _onOrphaned;

    private int _descriptor = Native.Descriptor.None;
    private TimeSpan _redial = FirstRedial;
    private LoopTimer? _orphanTimer;
    private bool _isWelcome;
    private bool _isBlocked;
    private bool _hasSaidHello;

    internal HostLink(
        EventLoop loop,
        SegmentPool pool,
        Outbox outbox,
        Cli cli,
        CommandExecutor commands,
        string path,
        TimeSpan orphanTimeout,
        Action onOrphaned)
    {
        (_loop, _outbox, _cli, _commands) = (loop, outbox, cli, commands);
        (_orphanTimeout, _onOrphaned) = (orphanTimeout, onOrphaned);
        _received = new(pool);
        _frames = new(_received);
        _address = SocketAddress.Unix(path);
    }

    public int Descriptor => _descriptor;

    public PollEvents Interest => PollEvents.Readable | (_isBlocked ? PollEvents.Writable : PollEvents.None);

    /// <summary>Everything was sent, or cannot be.</summary>
    internal bool HasNothingToSend => !_isWelcome || _outbox.Unsent.IsEmpty;

    internal void Start()
    {
        WatchForOrphanage();
        Dial();
    }

    /// <summary>Sends what there is, as far as the socket takes it now.</summary>
    internal void Flush()
    {
        for (var budget = MaxBytesPerFlush; _isWelcome && !_isBlocked && budget > 0;)
        {
            var bytes = _outbox.Unsent;
            if (bytes.IsEmpty)
            {
                return;
            }

            var count = Native.Descriptor.Write(_descriptor, bytes);
            if (count >= 0)
            {
                _outbox.Sent(count);
                budget -= count;
            }
            else if (Errno.Last == Errno.Again)
            {
                _isBlocked = true;
            }
            else
            {
                Break();
            }
        }

        _isBlocked |= _isWelcome; // More is there: the next round goes on, after everybody else had a turn.
    }

    public void OnReady(PollEvents events)
    {
        if (events.HasFlag(PollEvents.Writable))
        {
            _isBlocked = false;
        }

        if ((events & ~PollEvents.Writable) != PollEvents.None)
        {
            Receive();
        }
    }

    private void Dial()
    {
        _descriptor = SocketAddress.DialUnix(_address);
        if (_descriptor == Native.Descriptor.None)
        {
            DialLater();
            return;
        }

        _loop.Add(this);
        SayHello();
    }

    private void DialLater()
    {
        _loop.After(_redial, Dial);
        _redial = _redial * 2 < LastRedial ? _redial * 2 : LastRedial;
    }

    private void SayHello()
    {
        var hello = new System.Buffers.ArrayBufferWriter<byte>();
        FrameFormat.Write(hello, new Hello(BridgeProtocol.Version, _outbox.Oldest, _outbox.Head, _cli.Process, _cli.Pid));
        if (Native.Descriptor.Write(_descriptor, hello.WrittenSpan) != hello.WrittenCount)
        {
            Break(); // So little always fits into a new socket.
            return;
        }

        if (!_hasSaidHello)
        {
            _hasSaidHello = true;
            StandardStreams.Silence();
        }
    }

    private void Receive()
    {
        for (var round = 0; round < MaxReadRounds && _descriptor != Native.Descriptor.None; round++)
        {
            var room = _received.Room;
            var count = Native.Descriptor.Read(_descriptor, room);
            if (count > 0)
            {
                _received.Advance(count);
                ExecuteAll();
            }
            else if (count == 0 || Errno.Last != Errno.Again)
            {
                Break();
            }

            if (count < room.Length)
            {
                break;
            }
        }

        if (_received.IsEmpty)
        {
            _received.Clear();
        }
    }

    private void ExecuteAll()
    {
        try
        {
            while (_descriptor != Native.Descriptor.None && _frames.TryRead(out var command))
            {
                Execute(command);
            }
        }
        catch (FrameException)
        {
            Break(); // A server that is not ours, or not of our version: another one may come.
        }
    }

    private void Execute(BridgeCommand command)
    {
        switch (command)
        {
            case Welcome welcome when !_isWelcome:
                _outbox.Resume(welcome.Acknowledged);
                _isWelcome = true;
                _redial = FirstRedial;
                _orphanTimer?.Cancel();
                break;
            case Acknowledge acknowledge when _isWelcome && _outbox.TryAcknowledge(acknowledge.Number):
                break;
            case IdentifiedCommand identified when _isWelcome:
                _commands.Execute(identified, _received);
                break;
            default:
                throw new FrameException($"A {command.GetType().Name} is out of place.");
        }
    }

    private void Break()
    {
        if (_descriptor == Native.Descriptor.None)
        {
            return;
        }

        if (_isWelcome)
        {
            WatchForOrphanage();
        }

        _loop.Remove(this);
        Native.Descriptor.Close(ref _descriptor);
        _received.Clear();
        _frames.Reset();
        _isWelcome = _isBlocked = false;
        DialLater();
    }

    private void WatchForOrphanage() => _orphanTimer = _loop.After(_orphanTimeout, _onOrphaned);
}
