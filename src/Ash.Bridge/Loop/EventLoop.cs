using Ash.Bridge.Native;

namespace Ash.Bridge.Loop;

/// <summary>One thread that waits for everything at once. All state of the bridge belongs to it, so there are no locks.</summary>
internal sealed class EventLoop
{
    private readonly List<IPollable> _members = [];
    private readonly List<LoopTimer> _timers = [];
    private readonly Mailbox _mailbox = new();

    private PollDescriptor[] _descriptors = new PollDescriptor[8];
    private IPollable[] _polled = new IPollable[8];

    internal EventLoop() => _members.Add(_mailbox);

    /// <summary>Done after each round of work, before the next wait.</summary>
    internal Action AfterRound { get; set; } = () => { };

    internal static long NowMs => Environment.TickCount64;

    /// <inheritdoc cref="Mailbox.Post"/>
    internal void Post(Action action) => _mailbox.Post(action);

    internal void Add(IPollable member) => _members.Add(member);

    internal void Remove(IPollable member) => _members.Remove(member);

    internal LoopTimer After(TimeSpan delay, Action action)
    {
        var timer = new LoopTimer(NowMs + (long)delay.TotalMilliseconds, action);
        _timers.Add(timer);
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
        for (var i = 0; i < _timers.Count; i++)
        {
            var timer = _timers[i];
            if (timer.IsCancelled || timer.DueMs <= NowMs)
            {
                _timers.RemoveAt(i--);
                if (!timer.IsCancelled)
                {
                    timer.Fire();
                }
            }
        }
    }

    private unsafe int Wait()
    {
        if (_descriptors.Length < _members.Count)
        {
            Array.Resize(ref _descriptors, 2 * _members.Count);
            Array.Resize(ref _polled, 2 * _members.Count);
        }

        var count = 0;
        foreach (var member in _members)
        {
            if (member.Interest is not PollEvents.None and var interest)
            {
                _polled[count] = member;
                _descriptors[count++] = new() { Descriptor = member.Descriptor, Requested = interest };
            }
        }

        fixed (PollDescriptor* first = _descriptors)
        {
            // An interrupted wait reports nothing; the next round asks again.
            return Libc.Poll(first, (nuint)count, TimeoutMs()) > 0 ? count : 0;
        }
    }

    private int TimeoutMs()
    {
        var due = long.MaxValue;
        foreach (var timer in _timers)
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
            if (_descriptors[i].Returned != PollEvents.None && _polled[i].Descriptor == _descriptors[i].Descriptor)
            {
                _polled[i].OnReady(_descriptors[i].Returned);
            }
        }

        Array.Clear(_polled, 0, count);
    }
}
