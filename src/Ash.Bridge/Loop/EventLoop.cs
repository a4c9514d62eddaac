using Ash.Bridge.Native;

namespace Ash.Bridge.Loop;

/// <summary>One thread that waits for everything at once. All state of the bridge belongs to it, so there are no locks.</summary>
internal sealed class EventLoop
{
    private readonly List<IPollable> members = [];
    private readonly List<LoopTimer> timers = [];
    private readonly Mailbox mailbox = new();

    private PollDescriptor[] descriptors = new PollDescriptor[8];
    private IPollable[] polled = new IPollable[8];

    internal EventLoop() => members.Add(mailbox);

    /// <summary>Done after each round of work, before the next wait.</summary>
    internal Action AfterRound { get; set; } = () => { };

    internal static long NowMs => Environment.TickCount64;

    /// <inheritdoc cref="Mailbox.Post"/>
    internal void Post(Action action) => mailbox.Post(action);

    internal void Add(IPollable member) => members.Add(member);

    internal void Remove(IPollable member) => members.Remove(member);

    internal LoopTimer After(TimeSpan delay, Action action)
    {
        var timer = new LoopTimer(NowMs + (long)delay.TotalMilliseconds, action);
        timers.Add(timer);
        return timer;
    }

    /// <summary>Never returns: the loop ends with the process.</summary>
    internal void Run()
    {
        while (true)
        {
            FireTimers();
            AfterRound();
            Dispatch(Wait());
        }
    }

    private void FireTimers()
    {
        for (var i = 0; i < timers.Count; i++)
        {
            var timer = timers[i];
            if (timer.IsCancelled || timer.DueMs <= NowMs)
            {
                timers.RemoveAt(i--);
                if (!timer.IsCancelled)
                {
                    timer.Fire();
                }
            }
        }
    }

    private unsafe int Wait()
    {
        if (descriptors.Length < members.Count)
        {
            Array.Resize(ref descriptors, 2 * members.Count);
            Array.Resize(ref polled, 2 * members.Count);
        }

        var count = 0;
        foreach (var member in members)
        {
            if (member.Interest is not PollEvents.None and var interest)
            {
                polled[count] = member;
                descriptors[count++] = new() { Descriptor = member.Descriptor, Requested = interest };
            }
        }

        fixed (PollDescriptor* first = descriptors)
        {
            // An interrupted wait reports nothing; the next round asks again.
            return Libc.Poll(first, (nuint)count, TimeoutMs()) > 0 ? count : 0;
        }
    }

    private int TimeoutMs()
    {
        var due = long.MaxValue;
        foreach (var timer in timers)
        {
            due = Math.Min(due, timer.IsCancelled ? long.MaxValue : timer.DueMs);
        }

        return due == long.MaxValue ? -1 : (int)Math.Clamp(due - NowMs, 0, int.MaxValue);
    }

    private void Dispatch(int count)
    {
        for (var i = 0; i < count; i++)
        {
            // Whoever was closed by an earlier one in this round has another descriptor by now, or none.
            if (descriptors[i].Returned != PollEvents.None && polled[i].Descriptor == descriptors[i].Descriptor)
            {
                polled[i].OnReady(descriptors[i].Returned);
            }
        }

        Array.Clear(polled, 0, count);
    }
}
