using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace Ash.Server.Events;

/// <summary>
/// Writes what happened in a session, and then what happens, as server-sent events. Whoever comes back with the id of the last
/// frame that it saw gets the same bytes as one who never left.
/// </summary>
internal sealed class EventStream(IEventPages pages, TimeProvider clock)
{
    /// <summary>So long a stream is silent before it says that it is still there.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);

    internal const int PageRows = 500;
    internal const int ChunkBytes = 64 * 1024;

    /// <summary>Writes until there is a reason to end. A client that reads slowly is waited for, and delays nobody else.</summary>
    /// <remarks>The caller keeps the tail's lease until this has completed.</remarks>
    public async Task<EventStreamEnd> WriteAsync(
        EventTail tail, EventStreamRequest request, PipeWriter output, CancellationToken cancellationToken)
    {
        var signal = new EventSignal();
        tail.Subscribe(signal);
        try
        {
            using var keepAlive = new KeepAlive(clock, KeepAliveInterval, signal);
            await using var cancellation =
                cancellationToken.UnsafeRegister(static state => ((EventSignal)state!).Set(), signal); // It is that signal.
            var viewer = new Viewer(pages, tail, request, output, signal, keepAlive, cancellationToken);
            return await viewer.RunAsync();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return EventStreamEnd.Left;
        }
        finally
        {
            tail.Unsubscribe(signal);
        }
    }

    private sealed class Viewer(
        IEventPages pages,
        EventTail tail,
        EventStreamRequest request,
        PipeWriter output,
        EventSignal signal,
        KeepAlive keepAlive,
        CancellationToken cancellationToken)
    {
        private readonly FrameRenderer _renderer = new(tail.Session);

        // The last row that is done with, whether it was written or not wanted. It is all that a viewer remembers.
        private long _position = request.Cursor.CompleteSeq;
        private bool _hasReadStore;
        private bool _hasEnded;
        private bool _hasLeft;
        private long _unflushed;

        public async Task<EventStreamEnd> RunAsync()
        {
            // The client learns at once that it is connected.
            await FlushAsync();
            while (true)
            {
                if (_hasLeft || cancellationToken.IsCancellationRequested)
                {
                    return EventStreamEnd.Left;
                }

                if (_hasEnded || _position >= request.Until)
                {
                    await FlushAsync();
                    return EventStreamEnd.Reached;
                }

                // Both are asked before the rows: what they say is true of rows that are there to be read.
                var isCompleted = tail.IsCompleted;
                var head = tail.Head;
                if (TryCopyFromTail())
                {
                    if (_unflushed >= ChunkBytes)
                    {
                        await FlushAsync();
                    }
                }
                else if (_position < head || (head == 0 && !_hasReadStore))
                {
                    await FlushAsync();
                    await CopyFromStoreAsync(head);
                }
                else if (isCompleted)
                {
                    await FlushAsync();
                    return EventStreamEnd.SessionGone;
                }
                else if (request.UntilIdle && tail.IsIdleAt(head == 0 ? 0 : _position))
                {
                    await FlushAsync();
                    return EventStreamEnd.Idle;
                }
                else
                {
                    await WaitAsync();
                }
            }
        }

        private async ValueTask WaitAsync()
        {
            if (_unflushed > 0)
            {
                await FlushAsync();
            }
            else if (keepAlive.IsDue)
            {
                Write(": keep-alive\n\n"u8);
                await FlushAsync();
            }
            else
            {
                await signal.WaitAsync();
            }
        }

        /// <summary>Copies rows that directly follow, at most about a chunk of them.</summary>
        private bool TryCopyFromTail()
        {
            if (!tail.TryRead(_position, out var segment, out var index))
            {
                return false;
            }

            var rows = segment.Rows;
            while (index < rows.Length && !rows[index].IsAbsent && !_hasEnded && _unflushed < ChunkBytes)
            {
                // Neighbours that are wanted are copied at once.
                var first = index;
                var skip = FramesToSkip(rows[index].Seq);
                while (index < rows.Length && !rows[index].IsAbsent && !_hasEnded && Wants(rows[index].Flags, rows[index].TurnId))
                {
                    _position = rows[index].Seq;
                    _hasEnded = Ends(rows[index].Flags, rows[index].TurnId);
                    index++;
                    if (skip > 0 || _unflushed + segment.Bytes(first, index).Length >= ChunkBytes)
                    {
                        break;
                    }
                }

                if (index > first)
                {
                    Write(After(segment.Bytes(first, index), skip));
                }
                else
                {
                    _position = rows[index].Seq;
                    index++;
                }
            }

            return true;
        }

        private async ValueTask CopyFromStoreAsync(long head)
        {
            var page = await pages.ReadAsync(tail.Session, _position, PageRows, cancellationToken);
            var pruned = 0;
            foreach (var row in page.Rows)
            {
                while (pruned < page.Pruned.Count && page.Pruned[pruned].First < row.Seq)
                {
                    WritePruned(page.Pruned[pruned++]);
                }

                await CopyAsync(row);
                if (_hasEnded || _hasLeft)
                {
                    return;
                }
            }

            if (!page.HasMore)
            {
                // The store had everything up to `head` and `Until` before it was asked: what it does not have is not there.
                _position = Math.Max(_position, Math.Max(head, request.Until ?? 0));
                _hasReadStore = true;
            }
        }

        private async ValueTask CopyAsync(EventRow row)
        {
            if (request.Filter.TurnId is null || request.Filter.TurnId == row.TurnId)
            {
                var frames = _renderer.Plan(row);
                if (Wants(frames.Flags, row.TurnId))
                {
                    var skip = FramesToSkip(row.Seq);
                    if (frames.Length <= ChunkBytes)
                    {
                        _unflushed += frames.CopyTo(output, skip);
                    }
                    else
                    {
                        _unflushed += frames.Length;
                        _hasLeft = !await frames.WriteAsync(output, skip, ChunkBytes, cancellationToken);
                    }

                    _hasEnded = Ends(frames.Flags, row.TurnId);
                }

                frames.Release();
            }

            _position = row.Seq;
            if (_unflushed >= ChunkBytes)
            {
                await FlushAsync();
            }
        }

        private void WritePruned(SeqRange range)
        {
            // Only lines of partial messages are ever removed: who does not want them misses nothing.
            if (request.Filter.Partial && range.Last > _position)
            {
                Write(Encoding.ASCII.GetBytes($": pruned {Math.Max(range.First, _position + 1)}-{range.Last}\n\n"));
            }
        }

        private void Write(ReadOnlySpan<byte> bytes)
        {
            output.Write(bytes);
            _unflushed += bytes.Length;
        }

        private async ValueTask FlushAsync()
        {
            if (_unflushed > 0)
            {
                _unflushed = 0;
                keepAlive.Written();
            }

            var flushed = await output.FlushAsync(cancellationToken);
            _hasLeft |= flushed.IsCompleted || flushed.IsCanceled;
        }

        private bool Wants(EventFlags flags, Guid? turnId) => request.Filter.Matches(flags, turnId);

        private bool Ends(EventFlags flags, Guid? turnId) =>
            (flags & EventFlags.TurnEnd) != 0 && request.Filter.TurnId is { } turn && turn == turnId;

        private int FramesToSkip(long seq) => seq == request.Cursor.Seq ? request.Cursor.Frame : 0;

        private static ReadOnlySpan<byte> After(ReadOnlySpan<byte> row, int frames)
        {
            for (; frames > 0 && !row.IsEmpty; frames--)
            {
                row = row[(row.IndexOf("\n\n"u8) + 2)..];
            }

            return row;
        }
    }
}
