using Ash.Server.Http;

namespace Ash.Server.Sessions;

/// <summary>How a fork went.</summary>
[GenerateSerializer, Immutable]
internal abstract record ForkSession
{
    [GenerateSerializer, Immutable]
    internal sealed record Forked([property: Id(0)] Guid SessionId) : ForkSession;

    [GenerateSerializer, Immutable]
    internal sealed record Refused([property: Id(0)] Problem Problem) : ForkSession;
}
