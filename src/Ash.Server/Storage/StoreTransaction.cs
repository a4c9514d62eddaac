using Ash.Server.Events;

namespace Ash.Server.Storage;

/// <summary>What a delegate on the writer's thread may use; valid until it returns.</summary>
internal sealed class StoreTransaction(StoreConnection connection, AshDbContext context) : IDisposable
{
    private bool _usesContext;

    private readonly StoreStatement _insertEvent = connection.Prepare("""
        INSERT INTO events (session_id, seq, turn_id, type, at, is_partial, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """);

    private readonly StoreStatement _removeDeltas = connection.Prepare("""
        DELETE FROM events WHERE id IN (
            SELECT id FROM events WHERE session_id = ?1 AND seq > ?2 AND seq < ?3 AND is_partial LIMIT ?4)
        """);

    private readonly StoreStatement _setDeltasPruned = connection.Prepare("""
        UPDATE turns SET deltas_pruned_at = ?2 WHERE id = ?1
        """);

    private readonly StoreStatement _removeEvents = connection.Prepare("""
        DELETE FROM events WHERE id IN (SELECT id FROM events WHERE session_id = ?1 ORDER BY seq LIMIT ?2)
        """);

    private readonly StoreStatement _insertLogLine = connection.Prepare("""
        INSERT INTO log_lines (session_id, number, source, text, at)
        SELECT ?1, COALESCE(MAX(number), -1) + 1, ?2, ?3, ?4 FROM log_lines WHERE session_id = ?1
        """);

    private readonly StoreStatement _removeLogLines = connection.Prepare("""
        DELETE FROM log_lines WHERE session_id = ?1 AND number <= (SELECT MAX(number) FROM log_lines WHERE session_id = ?1) - ?2
        """);

    private readonly StoreStatement _setFrame = connection.Prepare("""
        UPDATE sandboxes SET last_frame = ?2 WHERE id = ?1
        """);

    private readonly StoreStatement _insertTurn = connection.Prepare("""
        INSERT INTO turns (id, session_id, status, message_seq, model, options, retryable, created_at) VALUES (?1, ?2, 'Queued', ?3, ?4, ?5, FALSE, ?6)
        """);

    private readonly StoreStatement _startTurn = connection.Prepare("""
        UPDATE turns SET status = 'Running', started_seq = ?2 WHERE id = ?1
        """);

    private readonly StoreStatement _setModelCalled = connection.Prepare("""
        UPDATE turns SET model_called_at = ?2 WHERE id = ?1 AND model_called_at IS NULL
        """);

    private readonly StoreStatement _completeTurn = connection.Prepare("""
        UPDATE turns SET status = 'Ended', completed_seq = ?2, reason = ?3, code = ?4, retryable = ?5, result = ?6, usage = ?7, ended_at = ?8
        WHERE id = ?1
        """);

    private readonly StoreStatement _touchSession = connection.Prepare("""
        UPDATE sessions SET last_active_at = ?2 WHERE id = ?1
        """);

    private readonly StoreStatement _setCliProcess = connection.Prepare("""
        UPDATE sandboxes SET cli_process = ?2, cli_flags = ?3 WHERE id = ?1
        """);

    private readonly StoreStatement _setStatus = connection.Prepare("""
        UPDATE sessions SET status = ?2, last_active_at = ?3, ended_at = ?4 WHERE id = ?1
        """);

    private readonly StoreStatement _setConversation = connection.Prepare("""
        UPDATE sessions SET cli_session_id = ?2, cleared_at_turn = ?3 WHERE id = ?1
        """);

    /// <summary>EF on the writer's connection, inside its transaction. Empty at the start of each delegate.</summary>
    public AshDbContext Db
    {
        get
        {
            _usesContext = true;
            connection.Settle();
            return context;
        }
    }

    /// <inheritdoc cref="StoreConnection.Touch"/>
    public void Touch() => connection.Touch();

    /// <summary>Appends one fact.</summary>
    /// <param name="sessionId">Its session.</param>
    /// <param name="row">The fact.</param>
    /// <param name="inlinePayload">Whether the payload goes into the row; else it lies in a file already.</param>
    /// <param name="isPartial">Whether it may be pruned some time after its turn's end.</param>
    public void Append(Guid sessionId, in EventRow row, bool inlinePayload, bool isPartial = false)
    {
        _insertEvent
            .Bind(1, sessionId)
            .Bind(2, row.Seq)
            .Bind(3, row.TurnId)
            .BindText(4, row.Type.Utf8Name)
            .Bind(5, row.At.ToUnixTimeMilliseconds())
            .Bind(6, isPartial)
            .Bind(7, inlinePayload ? row.Payload : default(ReadOnlyMemory<byte>?))
            .Execute();
    }

    /// <summary>Removes partial rows between two rows of a session, at most <paramref name="limit"/>.</summary>
    /// <returns>How many went.</returns>
    public int RemoveDeltas(Guid sessionId, long afterSeq, long beforeSeq, int limit) =>
        _removeDeltas.Bind(1, sessionId).Bind(2, afterSeq).Bind(3, beforeSeq).Bind(4, limit).ExecuteAndCount();

    public void SetDeltasPruned(Guid turnId, DateTimeOffset at) =>
        _setDeltasPruned.Bind(1, turnId).Bind(2, at.ToUnixTimeMilliseconds()).Execute();

    /// <summary>Removes the oldest rows of a session, at most <paramref name="limit"/>.</summary>
    /// <returns>How many went.</returns>
    public int RemoveEvents(Guid sessionId, int limit) => _removeEvents.Bind(1, sessionId).Bind(2, limit).ExecuteAndCount();

    /// <summary>Adds a line to the log of a session's sandbox, under the next number.</summary>
    public void AppendLogLine(Guid sessionId, LogSource source, string text, DateTimeOffset at) =>
        _insertLogLine.Bind(1, sessionId).Bind(2, source.ToString()).Bind(3, text).Bind(4, at.ToUnixTimeMilliseconds()).Execute();

    /// <summary>Keeps the newest lines of a session, and so many of them.</summary>
    public void RemoveLogLines(Guid sessionId, int kept) => _removeLogLines.Bind(1, sessionId).Bind(2, kept).Execute();

    /// <summary>Forgets what the last delegate left in EF, so that the next one finds nothing of it.</summary>
    public void Reset()
    {
        if (_usesContext)
        {
            context.ChangeTracker.Clear();
            _usesContext = false;
        }
    }

    /// <summary>Remembers the newest bridge frame whose effects this transaction holds.</summary>
    public void SetLastFrame(string sandboxId, long frame) => _setFrame.Bind(1, sandboxId).Bind(2, frame).Execute();

    public void InsertTurn(Guid id, Guid sessionId, long messageSeq, string? model, string? options, DateTimeOffset at) => _insertTurn
        .Bind(1, id)
        .Bind(2, sessionId)
        .Bind(3, messageSeq)
        .Bind(4, model)
        .Bind(5, options)
        .Bind(6, at.ToUnixTimeMilliseconds())
        .Execute();

    public void StartTurn(Guid id, long startedSeq) => _startTurn.Bind(1, id).Bind(2, startedSeq).Execute();

    public void SetModelCalled(Guid turnId, DateTimeOffset at) =>
        _setModelCalled.Bind(1, turnId).Bind(2, at.ToUnixTimeMilliseconds()).Execute();

    public void CompleteTurn(TurnRecord turn) => _completeTurn
        .Bind(1, turn.Id)
        .Bind(2, turn.CompletedSeq)
        .Bind(3, turn.Reason)
        .Bind(4, turn.Code)
        .Bind(5, turn.Retryable)
        .Bind(6, turn.Result)
        .Bind(7, turn.Usage)
        .Bind(8, turn.EndedAt?.ToUnixTimeMilliseconds())
        .Execute();

    public void TouchSession(Guid id, DateTimeOffset at) => _touchSession.Bind(1, id).Bind(2, at.ToUnixTimeMilliseconds()).Execute();

    public void SetCliProcess(string sandboxId, int number, string flags) =>
        _setCliProcess.Bind(1, sandboxId).Bind(2, number).Bind(3, flags).Execute();

    public void SetStatus(Guid sessionId, SessionStatus status, DateTimeOffset at, DateTimeOffset? endedAt) => _setStatus
        .Bind(1, sessionId)
        .Bind(2, status.ToString())
        .Bind(3, at.ToUnixTimeMilliseconds())
        .Bind(4, endedAt?.ToUnixTimeMilliseconds())
        .Execute();

    public void SetConversation(Guid sessionId, Guid cliSessionId, Guid? clearedAtTurn) =>
        _setConversation.Bind(1, sessionId).Bind(2, cliSessionId).Bind(3, clearedAtTurn).Execute();

    public void Dispose()
    {
        context.Dispose();
        _insertEvent.Dispose();
        _removeDeltas.Dispose();
        _setDeltasPruned.Dispose();
        _removeEvents.Dispose();
        _insertLogLine.Dispose();
        _removeLogLines.Dispose();
        _setFrame.Dispose();
        _insertTurn.Dispose();
        _startTurn.Dispose();
        _setModelCalled.Dispose();
        _completeTurn.Dispose();
        _touchSession.Dispose();
        _setCliProcess.Dispose();
        _setStatus.Dispose();
        _setConversation.Dispose();
    }
}
