using System.Globalization;
using System.Linq.Expressions;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Events;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>How a session looks from outside.</summary>
internal static class SessionView
{
    private static readonly JsonDocumentOptions AsDeepAsALine = new() { MaxDepth = Json.MaxDepth };

    /// <summary>By the columns that are needed: a list must not read every session's prompt, which may be a megabyte.</summary>
    public static readonly Expression<Func<SessionRecord, SessionInfo>> Columns = session => new SessionInfo
    {
        Id = session.Id,
        TenantId = session.TenantId,
        AgentName = session.AgentName,
        SandboxId = Text(session.Id),
        Status = Name(session.Status),
        RunnerId = null,
        ParentSessionId = session.ParentSessionId,
        CreatedAt = session.CreatedAt,
        LastActiveAt = session.LastActiveAt,
        Model = session.Model,
        Config = SessionOptions.Parse(session.Config),
        AgentVersion = session.AgentVersion,
        Turn = null,
        Isolation = session.Isolation,
    };

    private static readonly Func<SessionRecord, SessionInfo> FromRecord = Columns.Compile();

    public static SessionInfo Describe(SessionRecord session, RunningTurn? turn) => FromRecord(session) with { Turn = turn };

    public static TurnInfo Describe(TurnRecord turn) => new()
    {
        Id = turn.Id,
        SessionId = turn.SessionId,
        Status = turn.Status.ToString().ToLowerInvariant(),
        Reason = turn.Reason,
        Retryable = turn.Retryable,
        Code = turn.Code,
        Result = turn.Result,
        Usage = turn.Usage is null ? null : JsonElement.Parse(turn.Usage, AsDeepAsALine),
        CreatedAt = turn.CreatedAt,
        EndedAt = turn.EndedAt,
        LastEventId = turn.CompletedSeq?.ToString(CultureInfo.InvariantCulture),
    };

    private static string Text(Guid id) => id.ToString();

    public static string Name(SessionStatus status) => status.ToString().ToLowerInvariant();
}
