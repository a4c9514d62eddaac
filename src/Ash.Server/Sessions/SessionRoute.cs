using Ash.Server.Access;
using Ash.Server.Http;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>The session that a route names, if it is the caller's.</summary>
internal readonly record struct SessionRoute(SessionRecord? Session, Problem? Problem)
{
    /// <summary>Another tenant's session is as unknown as none.</summary>
    public static async ValueTask<SessionRoute> FindAsync(
        HttpContext context, string id, SessionDirectory sessions, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(id, "D", out var sessionId))
        {
            return new SessionRoute(null, Problems.IdIsNoUuid);
        }

        return await sessions.FindAsync(context.Caller.TenantId, sessionId, cancellationToken) is { } session
            ? new SessionRoute(session, null)
            : new SessionRoute(null, Problems.UnknownSession);
    }
}
