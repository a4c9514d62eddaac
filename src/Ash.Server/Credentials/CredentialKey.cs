using System.Security.Cryptography;
using System.Text;

namespace Ash.Server.Credentials;

/// <summary>
/// A key that credentials are sealed with: AES-256-GCM, derived by HKDF from what the operator gave or the data folder holds.
/// </summary>
internal sealed class CredentialKey
{
    public const int NonceBytes = 12;

    private const int KeyBytes = 32;
    private const int TagBytes = 16;

    private readonly byte[] _key;

    private CredentialKey(ReadOnlySpan<byte> material)
    {
        _key = Derive(material, "ash credential", KeyBytes);
        Id = Convert.ToHexStringLower(Derive(material, "ash credential key id", 8));
    }

    /// <summary>Says which key it is, and nothing about it.</summary>
    public string Id { get; }

    public static CredentialKey FromText(string text) => new(Encoding.UTF8.GetBytes(text));

    public static CredentialKey FromBytes(ReadOnlySpan<byte> bytes) => new(bytes);

    /// <summary>Seals a text for one place: it opens there and nowhere else.</summary>
    /// <returns>A fresh nonce; the ciphertext with the tag behind it.</returns>
    public (byte[] Nonce, byte[] Sealed) Seal(string text, ReadOnlySpan<byte> place)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        var result = new byte[plain.Length + TagBytes];
        using var cipher = new AesGcm(_key, TagBytes);
        cipher.Encrypt(nonce, plain, result.AsSpan(0, plain.Length), result.AsSpan(plain.Length), place);
        CryptographicOperations.ZeroMemory(plain);
        return (nonce, result);
    }

    /// <summary>The text; null where it was sealed with another key or for another place, or was changed since.</summary>
    public string? Open(byte[] nonce, byte[] box, ReadOnlySpan<byte> place)
    {
        if (nonce.Length != NonceBytes || box.Length < TagBytes)
        {
            return null;
        }

        var plain = new byte[box.Length - TagBytes];
        try
        {
            using var cipher = new AesGcm(_key, TagBytes);
            cipher.Decrypt(nonce, box.AsSpan(0, plain.Length), box.AsSpan(plain.Length), plain, place);
            return Encoding.UTF8.GetString(plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    private static byte[] Derive(ReadOnlySpan<byte> material, string purpose, int length)
    {
        var key = new byte[length];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, material, key, salt: [], Encoding.ASCII.GetBytes(purpose));
        return key;
    }
}
