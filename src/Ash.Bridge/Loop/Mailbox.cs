using Ash.Bridge.Native;

namespace Ash.Bridge.Loop;

/// <summary>How the other threads have something done on the loop's.</summary>
internal sealed class Mailbox : IPollable
{
    private readonly Lock gate = new();
    private List<Action> arriving = [];
    private List<Action> working = [];

    public int Descriptor { get; } = OpenDescriptor();

    public PollEvents Interest => PollEvents.Readable;

    /// <summary>Never blocks. What is posted is done in the order of the calls.</summary>
    internal void Post(Action action)
    {
        lock (gate)
        {
            arriving.Add(action);
        }

        Native.Descriptor.Write(Descriptor, BitConverter.GetBytes(1L));
    }

    public void OnReady(PollEvents events)
    {
        Native.Descriptor.Read(Descriptor, stackalloc byte[sizeof(long)]);
        lock (gate)
        {
            (arriving, working) = (working, arriving);
        }

        foreach (var action in working)
        {
            action();
        }

        working.Clear();
    }

    private static int OpenDescriptor()
    {
        var descriptor = Libc.EventDescriptor(0, Libc.OpenNonBlocking | Libc.OpenCloseOnExec);
        return descriptor >= 0 ? descriptor : throw new InvalidOperationException($"eventfd: {Errno.Text(Errno.Last)}");
    }
}
