using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Ash.Server.Access;

/// <summary>A key's text: made, hashed, and shown in part.</summary>
internal static class ApiKeyText
{
    private const int RandomBytes = 24;
    private const int ShownLength = 8;

    /// <summary>Of a shorter one, which people chose, the first characters would give too much away.</summary>
    private const int ShortestShown = 24;

    private const string Hidden = "••••";

    /// <summary>What is shown of a key of which nothing is known.</summary>
    public const string Unknown = "••••••••";

    /// <summary>A fresh one (contract 8.1).</summary>
    public static string Make() => "ash_" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));

    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>What may be shown of a key, to tell it from others.</summary>
    public static string Prefix(string key) => key.Length < ShortestShown ? Unknown : key[..ShownLength] + Hidden;
}
