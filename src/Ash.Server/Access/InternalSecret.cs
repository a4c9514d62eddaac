using System.Security.Cryptography;
using Ash.Server.Configuration;

namespace Ash.Server.Access;

/// <summary>What opens <c>/api/internal</c> (contract 8.5); without one it stays shut.</summary>
internal sealed class InternalSecret(ServerSettings settings)
{
    private readonly byte[]? _hash = settings.InternalSecret is { } secret ? ApiKeyText.Hash(secret) : null;

    public bool IsSet => _hash is not null;

    /// <summary>Compared in constant time.</summary>
    public bool Is(string text) => _hash is not null && CryptographicOperations.FixedTimeEquals(ApiKeyText.Hash(text), _hash);
}
