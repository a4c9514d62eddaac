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

    private readonly EventLoop loop;
    private readonly Outbox outbox;
    private readonly FrameReader frames;
    private readonly ByteQueue received;
    private readonly Cli cli;
    private readonly CommandExecutor commands;
    private readonly byte[] address;
    private readonly TimeSpan orphanTimeout;
    private readonly Action onOrphaned;

    private int descriptor = Native.Descriptor.None;
    private TimeSpan redial = FirstRedial;
    private LoopTimer? orphanTimer;
    private bool isWelcome;
    private bool isBlocked;
    private bool hasSaidHello;

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
        (this.loop, this.outbox, this.cli, this.commands) = (loop, outbox, cli, commands);
        (this.orphanTimeout, this.onOrphaned) = (orphanTimeout, onOrphaned);
        received = new(pool);
        frames = new(received);
        address = SocketAddress.Unix(path);
    }

    public int Descriptor => descriptor;

    public PollEvents Interest => PollEvents.Readable | (isBlocked ? PollEvents.Writable : PollEvents.None);

    /// <summary>Everything was sent, or cannot be.</summary>
    internal bool HasNothingToSend => !isWelcome || outbox.Unsent.IsEmpty;

    internal void Start()
    {
        WatchForOrphanage();
        Dial();
    }

    /// <summary>Sends what there is, as far as the socket takes it now.</summary>
    internal void Flush()
    {
        for (var budget = MaxBytesPerFlush; isWelcome && !isBlocked && budget > 0;)
        {
            var bytes = outbox.Unsent;
            if (bytes.IsEmpty)
            {
                return;
            }

            var count = Native.Descriptor.Write(descriptor, bytes);
            if (count >= 0)
            {
                outbox.Sent(count);
                budget -= count;
            }
            else if (Errno.Last == Errno.Again)
            {
                isBlocked = true;
            }
            else
            {
                Break();
            }
        }

        isBlocked |= isWelcome; // More is there: the next round goes on, after everybody else had a turn.
    }

    public void OnReady(PollEvents events)
    {
        if (events.HasFlag(PollEvents.Writable))
        {
            isBlocked = false;
        }

        if ((events & ~PollEvents.Writable) != PollEvents.None)
        {
            Receive();
        }
    }

    private void Dial()
    {
        descriptor = SocketAddress.DialUnix(address);
        if (descriptor == Native.Descriptor.None)
        {
            DialLater();
            return;
        }

        loop.Add(this);
        SayHello();
    }

    private void DialLater()
    {
        loop.After(redial, Dial);
        redial = redial * 2 < LastRedial ? redial * 2 : LastRedial;
    }

    private void SayHello()
    {
        var hello = new System.Buffers.ArrayBufferWriter<byte>();
        FrameFormat.Write(hello, new Hello(BridgeProtocol.Version, outbox.Oldest, outbox.Head, cli.Process, cli.Pid));
        if (Native.Descriptor.Write(descriptor, hello.WrittenSpan) != hello.WrittenCount)
        {
            Break(); // So little always fits into a new socket.
            return;
        }

        if (!hasSaidHello)
        {
            hasSaidHello = true;
            StandardStreams.Silence();
        }
    }

    private void Receive()
    {
        for (var round = 0; round < MaxReadRounds && descriptor != Native.Descriptor.None; round++)
        {
            var room = received.Room;
            var count = Native.Descriptor.Read(descriptor, room);
            if (count > 0)
            {
                received.Advance(count);
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

        if (received.IsEmpty)
        {
            received.Clear();
        }
    }

    private void ExecuteAll()
    {
        try
        {
            while (descriptor != Native.Descriptor.None && frames.TryRead(out var command))
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
            case Welcome welcome when !isWelcome:
                outbox.Resume(welcome.Acknowledged);
                isWelcome = true;
                redial = FirstRedial;
                orphanTimer?.Cancel();
                break;
            case Acknowledge acknowledge when isWelcome && outbox.TryAcknowledge(acknowledge.Number):
                break;
            case IdentifiedCommand identified when isWelcome:
                commands.Execute(identified, received);
                break;
            default:
                throw new FrameException($"A {command.GetType().Name} is out of place.");
        }
    }

    private void Break()
    {
        if (descriptor == Native.Descriptor.None)
        {
            return;
        }

        if (isWelcome)
        {
            WatchForOrphanage();
        }

        loop.Remove(this);
        Native.Descriptor.Close(ref descriptor);
        received.Clear();
        frames.Reset();
        isWelcome = isBlocked = false;
        DialLater();
    }

    private void WatchForOrphanage() => orphanTimer = loop.After(orphanTimeout, onOrphaned);
}
