using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;

namespace Ash.Bridge.Processes;

/// <summary>Writes lines to the CLI's standard input, in order, as fast as it reads them.</summary>
internal sealed class CliInput : IPollable
{
    private readonly EventLoop loop;
    private readonly ByteQueue waiting;
    private readonly Queue<Line> lines = new();
    private readonly long maxWaitingBytes;
    private long accepted;
    private long written;
    private int descriptor;
    private Action<string?>? onClosed;

    /// <param name="loop">Watches the pipe while something waits.</param>
    /// <param name="pool">Where waiting lines are kept.</param>
    /// <param name="descriptor">The pipe's writing end, owned by this from now on.</param>
    /// <param name="maxWaitingBytes">A line that finds others waiting and would go beyond this is refused.</param>
    internal CliInput(EventLoop loop, SegmentPool pool, int descriptor, long maxWaitingBytes)
    {
        this.loop = loop;
        this.descriptor = descriptor;
        this.maxWaitingBytes = maxWaitingBytes;
        waiting = new(pool);
        Native.Descriptor.MakeNonBlocking(descriptor);
        loop.Add(this);
    }

    public int Descriptor => descriptor;

    public PollEvents Interest => waiting.IsEmpty ? PollEvents.None : PollEvents.Writable;

    /// <summary>Takes a line out of <paramref name="source"/>; <paramref name="onDone"/> gets null once all of it was written, else why not.</summary>
    internal void WriteLine(ByteQueue source, int length, Action<string?> onDone)
    {
        if (RefusalOf(length) is { } refusal)
        {
            source.Skip(length);
            onDone(refusal);
            return;
        }

        source.MoveTo(waiting, length);
        waiting.Write("\n"u8);
        accepted += length + 1;
        lines.Enqueue(new(accepted, onDone));
        Write();
    }

    /// <summary>Closes the pipe after what waits; <paramref name="onDone"/> as for a line.</summary>
    internal void CloseAfterLines(Action<string?> onDone)
    {
        if (onClosed is not null || descriptor == Native.Descriptor.None)
        {
            onDone(null); // As asked for before.
            return;
        }

        onClosed = onDone;
        CloseIfDone();
    }

    /// <summary>The CLI is gone, or will be: what waits fails with this reason.</summary>
    internal void Abandon(string reason)
    {
        if (descriptor != Native.Descriptor.None)
        {
            loop.Remove(this);
            Native.Descriptor.Close(ref descriptor);
        }

        waiting.Clear();
        while (lines.TryDequeue(out var line))
        {
            line.OnDone(reason);
        }

        onClosed?.Invoke(reason);
        onClosed = null;
    }

    public void OnReady(PollEvents events) => Write();

    private string? RefusalOf(int length) => this switch
    {
        { descriptor: Native.Descriptor.None } or { onClosed: not null } => "The CLI's input is closed.",
        { waiting: { IsEmpty: false } queue } when queue.Length + length > maxWaitingBytes => "The CLI does not read its input.",
        _ => null,
    };

    private void Write()
    {
        while (!waiting.IsEmpty)
        {
            var count = Native.Descriptor.Write(descriptor, waiting.Front);
            if (count < 0)
            {
                if (Errno.Last != Errno.Again)
                {
                    Abandon($"The CLI's input cannot be written: {Errno.Text(Errno.Last)}.");
                }

                return;
            }

            waiting.Skip(count);
            written += count;
            while (lines.TryPeek(out var line) && line.End <= written)
            {
                lines.Dequeue();
                line.OnDone(null);
            }
        }

        waiting.Clear();
        CloseIfDone();
    }

    private void CloseIfDone()
    {
        if (onClosed is { } onDone && waiting.IsEmpty)
        {
            loop.Remove(this);
            Native.Descriptor.Close(ref descriptor);
            onClosed = null;
            onDone(null);
        }
    }

    private readonly record struct Line(long End, Action<string?> OnDone);
}
