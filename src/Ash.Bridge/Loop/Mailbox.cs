using Ash.Bridge.Native;

namespace Ash.Bridge.Loop;

/// <summary>How the other threads have something done on the loop's.</summary>
internal sealed class Mailbox : IPollable
{
    private readonly Lock _gate = new();
    private List<Action> _arriving = [];
    private List<Action> _working = [];

    public int Descriptor { get; } = OpenDescriptor();

    public PollEvents Interest => PollEvents.Readable;

    /// <summary>Never blocks. What is posted is done in the order of the calls.</summary>
    internal void Post(Action action)
    {
        lock (_gate)
        {
            _arriving.Add(action);
        }

        Native.Descriptor.Write(Descriptor, BitConverter.GetBytes(1L));
    }

    public void OnReady(PollEvents events)
    {
        Native.Descriptor.Read(Descriptor, stackalloc byte[sizeof(long)]);
        lock (_gate)
        {
            (_arriving, _working) = (_working, _arriving);
        }

        foreach (var action in _working)
        {
            action();
        }

        _working.Clear();
    }

    private static int OpenDescriptor()
    {
        var descriptor = Libc.EventDescriptor(0, Libc.OpenNonBlocking | Libc.OpenCloseOnExec);
        return descriptor >= 0 ? descriptor : throw new InvalidOperationException($"eventfd: {Errno.Text(Errno.Last)}");
    }
}
