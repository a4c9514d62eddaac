using System.Text;

namespace Ash.Server.Credentials;

/// <summary>Texts that may hold secrets of tenants, as they lie in the store: sealed with the credential key, each for its place alone.</summary>
/// <remarks>A stored text is the key's id, a dot, and in base64 a nonce with the ciphertext behind it.</remarks>
internal sealed class SealedTexts(CredentialKeys keys)
{
    /// <summary>What <see cref="IsPlain"/> says, for a query.</summary>
    public const string PlainPattern = "{%";

    /// <summary>No text begins so.</summary>
    public const string NoPrefix = ".";

    /// <summary>What every text begins with that the current key has sealed; null where none was sealed yet.</summary>
    public string? CurrentPrefix => keys.Current is { } key ? PrefixOf(key) : null;

    /// <exception cref="Storage.StoreException">The data folder cannot keep a key.</exception>
    public string Seal(string text, SealedPlace place)
    {
        var key = keys.Require();
        var (nonce, box) = key.Seal(text, place.ToBytes());
        return PrefixOf(key) + Convert.ToBase64String([.. nonce, .. box]);
    }

    /// <summary>Whether a text is one that releases before this have left plain: an object of JSON.</summary>
    public static bool IsPlain(string stored) => stored.StartsWith('{');

    /// <exception cref="SealedTextException">Its key is not here, or it was sealed for another place, or changed since.</exception>
    public string Open(string stored, SealedPlace place)
    {
        var dot = stored.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || keys.Find(stored[..dot]) is not { } key)
        {
            throw new SealedTextException(
                $"The {place.What} is sealed with a key that this server does not have; "
                + $"set ASH_CREDENTIAL_KEY_PREVIOUS to it, restore credential.key, or {place.WayOut}.");
        }

        var bytes = new byte[stored.Length];
        return Convert.TryFromBase64Chars(stored.AsSpan(dot + 1), bytes, out var length)
            && length > CredentialKey.NonceBytes
            && key.Open(bytes[..CredentialKey.NonceBytes], bytes[CredentialKey.NonceBytes..length], place.ToBytes()) is { } text
            ? text
            : throw new SealedTextException($"The {place.What} was changed in the store, and cannot be opened; {place.WayOut}.");
    }

    private static string PrefixOf(CredentialKey key) => key.Id + '.';
}

/// <summary>The one place that a text is sealed for: who can write the store, but has no key, cannot move it to another.</summary>
/// <param name="What">The column, as people call it.</param>
/// <param name="Row">Whose it is.</param>
/// <param name="TenantId">Whose that is.</param>
/// <param name="WayOut">What people do where it cannot be opened any more.</param>
internal readonly record struct SealedPlace(string What, Guid Row, string TenantId, string WayOut)
{
    public byte[] ToBytes() => Encoding.UTF8.GetBytes($"{What}\0{Row}\0{TenantId}");
}
