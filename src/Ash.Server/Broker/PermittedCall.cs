using Ash.Server.Credentials;

namespace Ash.Server.Broker;

/// <summary>A call that the authority has allowed.</summary>
/// <param name="ModelKey">The session's own; null for the server's.</param>
/// <param name="StartedAt">The clock's timestamp when its headers were read.</param>
internal sealed record PermittedCall(string SandboxId, object Handle, ModelOperation Operation, Secret? ModelKey, long StartedAt)
{
    public string Path => Operation is ModelOperation.Messages ? "/v1/messages" : "/v1/messages/count_tokens";
}
