using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;

namespace Ash.Bridge.Processes;

/// <summary>Writes lines to the CLI's standard input, in order, as fast as it reads them.</summary>
internal sealed class CliInput : IPollable
{
    private readonly EventLoop _loop;
    private readonly ByteQueue _waiting;
    private readonly Queue<Line> _lines = new();
    private readonly long _maxWaitingBytes;
    private long _accepted;
    private long _written;
    private int _descriptor;
    private Action<string?>? _onClosed;

    /// <param name="loop">Watches the pipe while something waits.</param>
    /// <param name="pool">Where waiting lines are kept.</param>
    /// <param name="descriptor">The pipe's writing end, owned by this from now on.</param>
    /// <param name="maxWaitingBytes">A line that finds others waiting and would go beyond this is refused.</param>
    internal CliInput(EventLoop loop, SegmentPool pool, int descriptor, long maxWaitingBytes)
    {
        _loop = loop;
        _descriptor = descriptor;
        _maxWaitingBytes = maxWaitingBytes;
        _waiting = new(pool);
        Native.Descriptor.MakeNonBlocking(descriptor);
        loop.Add(this);
    }

    public int Descriptor => _descriptor;

    public PollEvents Interest => _waiting.IsEmpty ? PollEvents.None : PollEvents.Writable;

    /// <summary>Takes a line out of <paramref name="source"/>; <paramref name="onDone"/> gets null once all of it was written, else why not.</summary>
    internal void WriteLine(ByteQueue source, int length, Action<string?> onDone)
    {
        if (RefusalOf(length) is { } refusal)
        {
            source.Skip(length);
            onDone(refusal);
            return;
        }

        source.MoveTo(_waiting, length);
        _waiting.Write("\n"u8);
        _accepted += length + 1;
        _lines.Enqueue(new(_accepted, onDone));
        Write();
    }

    /// <summary>Closes the pipe after what waits; <paramref name="onDone"/> as for a line.</summary>
    internal void CloseAfterLines(Action<string?> onDone)
    {
        if (_onClosed is not null || _descriptor == Native.Descriptor.None)
        {
            onDone(null); // As asked for before.
            return;
        }

        _onClosed = onDone;
        CloseIfDone();
    }

    /// <summary>The CLI is gone, or will be: what waits fails with this reason.</summary>
    internal void Abandon(string reason)
    {
        if (_descriptor != Native.Descriptor.None)
        {
            _loop.Remove(this);
            Native.Descriptor.Close(ref _descriptor);
        }

        _waiting.Clear();
        while (_lines.TryDequeue(out var line))
        {
            line.OnDone(reason);
        }

        _onClosed?.Invoke(reason);
        _onClosed = null;
    }

    public void OnReady(PollEvents events) => Write();

    private string? RefusalOf(int length) => this switch
    {
        { _descriptor: Native.Descriptor.None } or { _onClosed: not null } => "The CLI's input is closed.",
        { _waiting: { IsEmpty: false } queue } when queue.Length + length > _maxWaitingBytes => "The CLI does not read its input.",
        _ => null,
    };

    private void Write()
    {
        while (!_waiting.IsEmpty)
        {
            var count = Native.Descriptor.Write(_descriptor, _waiting.Front);
            if (count < 0)
            {
                if (Errno.Last != Errno.Again)
                {
                    Abandon($"The CLI's input cannot be written: {Errno.Text(Errno.Last)}.");
                }

                return;
            }

            _waiting.Skip(count);
            _written += count;
            while (_lines.TryPeek(out var line) && line.End <= _written)
            {
                _lines.Dequeue();
                line.OnDone(null);
            }
        }

        _waiting.Clear();
        CloseIfDone();
    }

    private void CloseIfDone()
    {
        if (_onClosed is { } onDone && _waiting.IsEmpty)
        {
            _loop.Remove(this);
            Native.Descriptor.Close(ref _descriptor);
            _onClosed = null;
            onDone(null);
        }
    }

    private readonly record struct Line(long End, Action<string?> OnDone);
}
