using System.Globalization;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>How a session looks from outside.</summary>
internal static class SessionView
{
    public static SessionInfo Describe(SessionRecord session, RunningTurn? turn) => new()
    {
        Id = session.Id,
        TenantId = session.TenantId,
        AgentName = session.AgentName,
        SandboxId = session.Id.ToString(),
        Status = session.Status.ToString().ToLowerInvariant(),
        RunnerId = null,
        ParentSessionId = session.ParentSessionId,
        CreatedAt = session.CreatedAt,
        LastActiveAt = session.LastActiveAt,
        Model = session.Model,
        AgentVersion = session.AgentVersion,
        Turn = turn,
        Isolation = session.Isolation,
    };

    public static TurnInfo Describe(TurnRecord turn) => new()
    {
        Id = turn.Id,
        SessionId = turn.SessionId,
        Status = turn.Status.ToString().ToLowerInvariant(),
        Reason = turn.Reason,
        Retryable = turn.Retryable,
        Code = turn.Code,
        Result = turn.Result,
        Usage = turn.Usage is null ? null : JsonElement.Parse(turn.Usage),
        CreatedAt = turn.CreatedAt,
        EndedAt = turn.EndedAt,
        LastEventId = turn.CompletedSeq?.ToString(CultureInfo.InvariantCulture),
    };
}
