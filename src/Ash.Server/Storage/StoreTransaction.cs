using Ash.Server.Events;
using Microsoft.Data.Sqlite;

namespace Ash.Server.Storage;

/// <summary>What a delegate on the writer's thread may use; valid until it returns.</summary>
internal sealed class StoreTransaction(SqliteConnection connection, AshDbContext context) : IDisposable
{
    private readonly SqliteStatement _insertEvent = new(connection.Handle!, """
        INSERT INTO events (session_id, seq, turn_id, type, at, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        """);

    private readonly SqliteStatement _setFrame = new(connection.Handle!, """
        UPDATE sandboxes SET last_frame = ?2 WHERE id = ?1
        """);

    private readonly SqliteStatement _insertTurn = new(connection.Handle!, """
        INSERT INTO turns (id, session_id, status, message_seq, model, retryable, created_at) VALUES (?1, ?2, 'Queued', ?3, ?4, 0, ?5)
        """);

    private readonly SqliteStatement _startTurn = new(connection.Handle!, """
        UPDATE turns SET status = 'Running', started_seq = ?2 WHERE id = ?1
        """);

    private readonly SqliteStatement _setModelCalled = new(connection.Handle!, """
        UPDATE turns SET model_called_at = ?2 WHERE id = ?1 AND model_called_at IS NULL
        """);

    private readonly SqliteStatement _completeTurn = new(connection.Handle!, """
        UPDATE turns SET status = 'Ended', completed_seq = ?2, reason = ?3, code = ?4, retryable = ?5, result = ?6, usage = ?7, ended_at = ?8
        WHERE id = ?1
        """);

    private readonly SqliteStatement _touchSession = new(connection.Handle!, """
        UPDATE sessions SET last_active_at = ?2 WHERE id = ?1
        """);

    private readonly SqliteStatement _setCliProcess = new(connection.Handle!, """
        UPDATE sandboxes SET cli_process = ?2 WHERE id = ?1
        """);

    private readonly SqliteStatement _setStatus = new(connection.Handle!, """
        UPDATE sessions SET status = ?2, last_active_at = ?3, ended_at = ?4 WHERE id = ?1
        """);

    private readonly SqliteStatement _setConversation = new(connection.Handle!, """
        UPDATE sessions SET cli_session_id = ?2, cleared_at_turn = ?3 WHERE id = ?1
        """);

    /// <summary>EF on the writer's connection, inside its transaction. Empty at the start of each delegate.</summary>
    public AshDbContext Db { get; } = context;

    /// <summary>Appends one fact. A null <paramref name="inlinePayload"/> says that the payload lies in a file.</summary>
    public void Append(Guid sessionId, in EventRow row, bool inlinePayload)
    {
        _insertEvent
            .Bind(1, sessionId)
            .Bind(2, row.Seq)
            .Bind(3, row.TurnId)
            .Bind(4, row.Type.Name)
            .Bind(5, row.At.ToUnixTimeMilliseconds());

        if (inlinePayload)
        {
            _insertEvent.Bind(6, row.Payload.Span);
        }
        else
        {
            _insertEvent.BindNull(6);
        }

        _insertEvent.Execute();
    }

    /// <summary>Remembers the newest bridge frame whose effects this transaction holds.</summary>
    public void SetLastFrame(string sandboxId, long frame) => _setFrame.Bind(1, sandboxId).Bind(2, frame).Execute();

    public void InsertTurn(Guid id, Guid sessionId, long messageSeq, string? model, DateTimeOffset at) => _insertTurn
        .Bind(1, id)
        .Bind(2, sessionId)
        .Bind(3, messageSeq)
        .Bind(4, model)
        .Bind(5, at.ToUnixTimeMilliseconds())
        .Execute();

    public void StartTurn(Guid id, long startedSeq) => _startTurn.Bind(1, id).Bind(2, startedSeq).Execute();

    public void SetModelCalled(Guid turnId, DateTimeOffset at) =>
        _setModelCalled.Bind(1, turnId).Bind(2, at.ToUnixTimeMilliseconds()).Execute();

    public void CompleteTurn(TurnRecord turn) => _completeTurn
        .Bind(1, turn.Id)
        .Bind(2, turn.CompletedSeq)
        .Bind(3, turn.Reason)
        .Bind(4, turn.Code)
        .Bind(5, turn.Retryable ? 1 : 0)
        .Bind(6, turn.Result)
        .Bind(7, turn.Usage)
        .Bind(8, turn.EndedAt?.ToUnixTimeMilliseconds())
        .Execute();

    public void TouchSession(Guid id, DateTimeOffset at) => _touchSession.Bind(1, id).Bind(2, at.ToUnixTimeMilliseconds()).Execute();

    public void SetCliProcess(string sandboxId, int number) => _setCliProcess.Bind(1, sandboxId).Bind(2, number).Execute();

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
        Db.Dispose();
        _insertEvent.Dispose();
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
