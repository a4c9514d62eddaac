using System.Globalization;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Events;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>How a session looks from outside.</summary>
internal static class SessionView
{
    private static readonly JsonDocumentOptions AsDeepAsALine = new() { MaxDepth = Json.MaxDepth };

    public static SessionInfo Describe(SessionRecord session, RunningTurn? turn) => Describe(
        session.Id,
        session.TenantId,
        session.AgentName,
        session.AgentVersion,
        session.Status,
        session.ParentSessionId,
        session.Model,
        session.Isolation,
        session.CreatedAt,
        session.LastActiveAt,
        turn);

    /// <summary>By the columns that are needed: a list must not read every session's prompt, which may be a megabyte.</summary>
    public static SessionInfo Describe(
        Guid id,
        string tenantId,
        string agentName,
        int agentVersion,
        SessionStatus status,
        Guid? parentSessionId,
        string? model,
        string isolation,
        DateTimeOffset createdAt,
        DateTimeOffset lastActiveAt,
        RunningTurn? turn) => new()
        {
            Id = id,
            TenantId = tenantId,
            AgentName = agentName,
            SandboxId = id.ToString(),
            Status = status.ToString().ToLowerInvariant(),
            RunnerId = null,
            ParentSessionId = parentSessionId,
            CreatedAt = createdAt,
            LastActiveAt = lastActiveAt,
            Model = model,
            AgentVersion = agentVersion,
            Turn = turn,
            Isolation = isolation,
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
        Usage = turn.Usage is null ? null : JsonElement.Parse(turn.Usage, AsDeepAsALine),
        CreatedAt = turn.CreatedAt,
        EndedAt = turn.EndedAt,
        LastEventId = turn.CompletedSeq?.ToString(CultureInfo.InvariantCulture),
    };
}
