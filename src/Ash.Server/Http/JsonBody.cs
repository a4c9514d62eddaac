using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace Ash.Server.Http;

/// <summary>A request's body, read within a limit and turned into a typed value, or the problem with it.</summary>
internal readonly struct JsonBody<T>
    where T : class
{
    private const int MaxNameLength = 100;

    private JsonBody(T? value, byte[] raw, Problem? problem)
    {
        Value = value;
        Raw = raw;
        Problem = problem;
    }

    /// <summary>Null where there is a <see cref="Problem"/>.</summary>
    public T? Value { get; }

    /// <summary>The bytes as sent: idempotency compares these.</summary>
    public byte[] Raw { get; }

    public Problem? Problem { get; }

    public static Task<JsonBody<T>> ReadAsync(
        HttpRequest request, JsonTypeInfo<T> type, int maxBytes, CancellationToken cancellationToken) =>
        ReadAsync(request, type, OtherFields.None, maxBytes, cancellationToken);

    /// <summary>A body that may have any fields.</summary>
    public static Task<JsonBody<T>> ReadAnyAsync(
        HttpRequest request, JsonTypeInfo<T> type, int maxBytes, CancellationToken cancellationToken) =>
        ReadAsync(request, type, others: null, maxBytes, cancellationToken);

    /// <param name="request">The request.</param>
    /// <param name="type">What the body is read as.</param>
    /// <param name="others">What it may hold beside the fields of its type; null is anything.</param>
    /// <param name="maxBytes">How long it may be.</param>
    /// <param name="cancellationToken">Gives the reading up.</param>
    public static async Task<JsonBody<T>> ReadAsync(
        HttpRequest request, JsonTypeInfo<T> type, OtherFields? others, int maxBytes, CancellationToken cancellationToken)
    {
        if (!request.HasJsonContentType())
        {
            return Refuse(Problems.UnsupportedMediaType(request.ContentType));
        }

        if (request.ContentLength > maxBytes)
        {
            return Refuse(Problems.BodyTooLarge(maxBytes));
        }

        var raw = await ReadWithinAsync(request.Body, maxBytes, cancellationToken);
        if (raw is null)
        {
            return Refuse(Problems.BodyTooLarge(maxBytes));
        }

        if (raw.Length == 0)
        {
            return Refuse(Problems.EmptyBody);
        }

        if (!Utf8.IsValid(raw))
        {
            return Refuse(Problems.Invalid("body is not valid UTF-8"));
        }

        try
        {
            var value = JsonSerializer.Deserialize(raw, type);
            return value is null ? Refuse(Problems.BodyIsNoObject)
                : HasFieldTwice(raw, type.Options.MaxDepth) ? Refuse(Problems.Invalid("body has a field twice"))
                : HasHalfPairs(raw, type.Options.MaxDepth) ? Refuse(Problems.Invalid("body holds half a surrogate pair, which is no text"))
                : others is not null && FindForeign(raw, type, others) is { } foreign ? Refuse(foreign)
                : new JsonBody<T>(value, raw, null);
        }
        catch (JsonException failure)
        {
            return Refuse(Problems.Invalid(Explain(failure)));
        }
    }

    /// <summary>The same, refused where its value is.</summary>
    public JsonBody<T> Check(Func<T, Problem?> refusal) => Value is not null && refusal(Value) is { } problem ? Refuse(problem) : this;

    private static JsonBody<T> Refuse(Problem problem) => new(null, [], problem);

    /// <summary>Whether an object in it says two things of one: some readers take the first, some the last, and some fail.</summary>
    private static bool HasFieldTwice(byte[] raw, int maxDepth)
    {
        try
        {
            using var document = JsonDocument.Parse(raw, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = maxDepth });
            return false;
        }
        catch (JsonException)
        {
            // It was read as JSON before: this is what is left.
            return true;
        }
        catch (InvalidOperationException)
        {
            // A name that is no text, which is found by whoever looks for that.
            return false;
        }
    }

    /// <summary>Whether a text in it cannot be read, which the library finds only where it is read: later, and as a failure.</summary>
    private static bool HasHalfPairs(byte[] raw, int maxDepth)
    {
        if (raw.AsSpan().IndexOf("\\u"u8) < 0)
        {
            return false;
        }

        var reader = new Utf8JsonReader(raw, new JsonReaderOptions { MaxDepth = maxDepth });
        while (reader.Read())
        {
            if (reader is { TokenType: JsonTokenType.String or JsonTokenType.PropertyName, ValueIsEscaped: true } && !IsText(ref reader))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsText(ref Utf8JsonReader reader)
    {
        try
        {
            _ = reader.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>The first field that the request may not have.</summary>
    private static Problem? FindForeign(byte[] raw, JsonTypeInfo<T> type, OtherFields others)
    {
        var reader = new Utf8JsonReader(raw);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = Encoding.UTF8.GetString(reader.ValueSpan);
            reader.Read();
            reader.Skip();
            if (!type.Properties.Any(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) && !others.Ignored.Contains(name))
            {
                return Problems.UnknownField(name.Length > MaxNameLength ? name[..MaxNameLength] : name, type.Properties.Select(property => property.Name));
            }
        }

        return null;
    }

    private static string Explain(JsonException failure)
    {
        // The library's own text names .NET types; path and position say what the client can act on.
        var text = failure.Message;
        if (text.Contains("missing required properties", StringComparison.Ordinal))
        {
            var names = text[(text.IndexOf("including:", StringComparison.Ordinal) + "including:".Length)..].Trim(' ', '.', '\'');
            return $"body must have required property {names}";
        }

        if (failure.Path == "$" && text.Contains("could not be converted", StringComparison.Ordinal))
        {
            return Problems.BodyIsNoObject.Message;
        }

        return failure.Path is { Length: > 1 } path && failure.BytePositionInLine is not null && !text.Contains("invalid", StringComparison.Ordinal)
            ? $"body{path[1..]} has the wrong type"
            : $"body is not valid JSON at line {failure.LineNumber + 1}, byte {failure.BytePositionInLine}";
    }

    private static async Task<byte[]?> ReadWithinAsync(Stream body, int maxBytes, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        var chunk = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            int read;
            while ((read = await RequestBody.ReadAsync(body, chunk, cancellationToken)) > 0)
            {
                if (buffer.Length + read > maxBytes)
                {
                    return null;
                }

                buffer.Write(chunk, 0, read);
            }

            return buffer.ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }
}
