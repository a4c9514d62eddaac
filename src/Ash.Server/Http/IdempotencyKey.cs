using System.Security.Cryptography;

namespace Ash.Server.Http;

/// <summary>The client's <c>Idempotency-Key</c> and what it was sent with.</summary>
[GenerateSerializer, Immutable]
internal sealed record IdempotencyKey([property: Id(0)] string Value, [property: Id(1)] byte[] BodyHash)
{
    private const int MaxLength = 255;

    /// <summary>Reads the header; <paramref name="problem"/> says what is wrong with one that cannot be used.</summary>
    public static IdempotencyKey? Read(HttpRequest request, byte[] body, out Problem? problem)
    {
        problem = null;
        var value = request.Headers["Idempotency-Key"].ToString();
        if (value.Length == 0)
        {
            return null;
        }

        if (value.Length > MaxLength)
        {
            problem = Problems.Invalid($"Idempotency-Key must be at most {MaxLength} characters");
            return null;
        }

        return new IdempotencyKey(value, SHA256.HashData(body));
    }
}
