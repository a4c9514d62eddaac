using Ash.Server.Events;
using Ash.Server.Storage;
using Ash.Server.Telemetry;

namespace Ash.Server.Sessions;

/// <summary>The end of one session's log: gives numbers, commits, and then shows what was committed to its readers.</summary>
/// <remarks>One caller at a time: the session's gate.</remarks>
internal sealed class SessionLog : IDisposable
{
    private readonly Guid _sessionId;
    private readonly StoreWriter _writer;
    private readonly EventFiles _files;
    private readonly TimeProvider _clock;
    private readonly ServerMetrics _metrics;
    private readonly EventTails.Lease _readers;

    public SessionLog(Guid sessionId, long head, StoreWriter writer, EventFiles files, EventTails tails, TimeProvider clock, ServerMetrics metrics)
    {
        _sessionId = sessionId;
        _writer = writer;
        _files = files;
        _clock = clock;
        _metrics = metrics;
        _readers = tails.Acquire(sessionId);
        Head = head;
    }

    /// <summary>Number of the newest row; 0 where there is none.</summary>
    public long Head { get; private set; }

    /// <summary>Leaves a gap: what a power cut took from the log was seen by somebody under these numbers.</summary>
    public void SkipAfterPowerLoss() => Head += 1_000_000;

    /// <summary>Tells readers where the log stands.</summary>
    public void Begin(bool idle) => _readers.Tail.Start(Head, idle);

    /// <summary>Ends all streams: nothing follows.</summary>
    public void Complete() => _readers.Tail.Complete();

    /// <summary>Appends facts, and does whatever else belongs to them, in one transaction. Readers see them after the commit.</summary>
    /// <param name="entries">In order; may be empty.</param>
    /// <param name="durability">What the commit must survive.</param>
    /// <param name="idle">Whether, with these facts, no turn runs or waits.</param>
    /// <param name="also">Runs in the same transaction, after the rows, with them.</param>
    /// <exception cref="StoreException">Nothing was kept, and no number was used.</exception>
    public async Task<EventRow[]> AppendAsync(
        IReadOnlyList<LogEntry> entries, Durability durability, bool idle, Action<StoreTransaction, EventRow[]>? also = null)
    {
        var at = _clock.GetUtcNow();
        var rows = new EventRow[entries.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = new EventRow(Head + 1 + i, entries[i].TurnId, entries[i].Type, at, entries[i].Payload);
            if (_files.IsTooLargeForRow(rows[i]))
            {
                await _files.WriteAsync(_sessionId, rows[i]);
            }
        }

        await _writer.WriteAsync(durability, transaction =>
        {
            for (var i = 0; i < rows.Length; i++)
            {
                // A row with a file stays: its removal would have to take the file with it.
                var inline = !_files.IsTooLargeForRow(rows[i]);
                transaction.Append(_sessionId, rows[i], inline, isPartial: inline && entries[i].IsPartial);
            }

            also?.Invoke(transaction, rows);
        });

        Head += rows.Length;
        _metrics.EventsAppended(rows.Length);
        _readers.Tail.Publish(rows, idle);
        return rows;
    }

    public void Dispose() => _readers.Dispose();
}
