using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Kernel;

/// <summary>Tells when processes end, children or not: one thread, one epoll set, however many processes.</summary>
internal sealed class ProcessWatcher : IDisposable
{
    private const int AddOperation = 1;
    private const int DeleteOperation = 2;
    private const uint ReadableOnce = 0x1 | 0x40000000;
    private const int EventCloseOnExec = 0x80000;
    private const ulong WakeKey = 0;

    private readonly SafeFileHandle poll;
    private readonly SafeFileHandle wake;
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource> watched = new();
    private readonly Thread thread;
    private ulong lastKey = WakeKey;
    private int disposed;

    public ProcessWatcher()
    {
        poll = Check(Libc.CreatePoll(Libc.OpenCloseOnExec));
        wake = Check(Libc.CreateEvent(0, EventCloseOnExec));
        Add(wake, WakeKey);
        thread = new Thread(Run) { IsBackground = true, Name = "process watcher" };
        thread.Start();
    }

    /// <summary>Watches a process until it has ended or the watch is disposed.</summary>
    public Watch Start(ProcessHandle process)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var key = Interlocked.Increment(ref lastKey);
        watched[key] = ended;
        Add(process.Descriptor, key);
        return new Watch(this, process.Descriptor, key, ended.Task);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
        {
            return;
        }

        RandomAccessWrite(wake);
        thread.Join();
        poll.Dispose();
        wake.Dispose();
    }

    private static SafeFileHandle Check(SafeFileHandle handle) =>
        handle.IsInvalid ? throw new Win32Exception(Marshal.GetLastPInvokeError()) : handle;

    private static void RandomAccessWrite(SafeFileHandle counter)
    {
        Span<byte> one = stackalloc byte[sizeof(ulong)];
        BitConverter.TryWriteBytes(one, 1UL);
        RandomAccess.Write(counter, one, fileOffset: 0);
    }

    private void Add(SafeFileHandle file, ulong key)
    {
        var pollEvent = new Libc.PollEvent { Events = ReadableOnce, Data = key };
        if (Libc.ControlPoll(poll, AddOperation, file, ref pollEvent) != 0)
        {
            watched.TryRemove(key, out _);
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    private void Remove(SafeFileHandle file, ulong key)
    {
        watched.TryRemove(key, out _);
        if (Volatile.Read(ref disposed) == 0)
        {
            // Also after the event: until then the set holds the file, and takes it no second time.
            var ignored = default(Libc.PollEvent);
            Libc.ControlPoll(poll, DeleteOperation, file, ref ignored);
        }
    }

    private void Run()
    {
        Span<Libc.PollEvent> events = stackalloc Libc.PollEvent[64];
        while (true)
        {
            var count = Libc.WaitPoll(poll, events, events.Length, timeoutMilliseconds: -1);
            for (var i = 0; i < count; i++)
            {
                if (events[i].Data == WakeKey)
                {
                    return;
                }

                if (watched.TryRemove(events[i].Data, out var ended))
                {
                    ended.SetResult();
                }
            }
        }
    }

    /// <summary>One watched process. To be disposed before the process's handle.</summary>
    public sealed class Watch(ProcessWatcher watcher, SafeFileHandle file, ulong key, Task ended) : IDisposable
    {
        private int disposed;

        /// <summary>Completes when the process has ended; never faults, and never completes once disposed.</summary>
        public Task Ended => ended;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref disposed, 1) == 0)
            {
                watcher.Remove(file, key);
            }
        }
    }
}
