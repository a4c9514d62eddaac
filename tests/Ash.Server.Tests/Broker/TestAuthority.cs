using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Ash.Server.Broker;
using Ash.Server.Credentials;

namespace Ash.Server.Tests.Broker;

/// <summary>Knows sandboxes and their tokens, as the sessions' rows would.</summary>
internal sealed class TestAuthority : IModelCallAuthority
{
    private readonly ConcurrentDictionary<string, byte[]> _tokens = new();
    private readonly Channel<ModelCall> _calls = Channel.CreateUnbounded<ModelCall>();

    /// <summary>What calls are allowed with; null for the server's own key.</summary>
    public Secret? ModelKey { get; set; }

    public void Know(string sandboxId, string token) => _tokens[sandboxId] = SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public ValueTask<ModelCall> NextCallAsync(CancellationToken cancellationToken) => _calls.Reader.ReadAsync(cancellationToken);

    public ValueTask<ModelCallVerdict> AuthorizeAsync(
        string sandboxId, ReadOnlyMemory<byte> tokenHash, CancellationToken cancellationToken)
    {
        return ValueTask.FromResult<ModelCallVerdict>(
            _tokens.TryGetValue(sandboxId, out var expected) && tokenHash.Span.SequenceEqual(expected)
                ? new ModelCallVerdict.Allowed($"turn-of-{sandboxId}", ModelKey)
                : new ModelCallVerdict.Refused("token_mismatch", "The token is not this sandbox's."));
    }

    public void Record(ModelCall call) => _calls.Writer.TryWrite(call);
}
