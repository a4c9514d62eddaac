using Ash.Protocol.Api;
using Ash.Server.Http;

namespace Ash.Server.Sessions;

/// <summary>How an attempt to create a session ended.</summary>
internal abstract record CreateSession
{
    private CreateSession()
    {
    }

    public sealed record Created(SessionInfo Session) : CreateSession;

    public sealed record Refused(Problem Problem) : CreateSession;
}
