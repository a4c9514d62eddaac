using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Ash.Server.Events;

/// <summary>
/// Finds the few values that matter in JSON that may be an attacker's, without a tree, without copies and in time linear in
/// its length. Where a name occurs twice the last one counts, as in JavaScript.
/// </summary>
internal static class Json
{
    /// <summary>Deeper nesting is refused.</summary>
    public const int MaxDepth = 256;

    internal static readonly JsonReaderOptions Options = new() { MaxDepth = MaxDepth };

    /// <summary>Finds members of an object by their names; those that it lacks are left empty.</summary>
    /// <returns>Whether all of <paramref name="value"/> is one well-formed object.</returns>
    public static bool TryFind(
        ReadOnlySpan<byte> json, JsonSlice value, ReadOnlySpan<byte[]> names, Span<JsonSlice> found)
    {
        found[..names.Length].Clear();
        var reader = new Utf8JsonReader(value.In(json), Options);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var index = IndexOf(reader.ValueSpan, reader.ValueIsEscaped, names);
                reader.Read();
                var start = (int)reader.TokenStartIndex;
                var kind = reader.TokenType;
                reader.Skip();
                if (index >= 0)
                {
                    found[index] = new(value.Start + start, (int)reader.BytesConsumed - start, kind);
                }
            }

            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Whether a string value reads as <paramref name="text"/>, which is ASCII, escapes or not.</summary>
    public static bool TextEquals(ReadOnlySpan<byte> json, JsonSlice value, ReadOnlySpan<byte> text)
    {
        if (!value.IsString)
        {
            return false;
        }

        var inner = value.Inner.In(json);
        return inner.SequenceEqual(text) || EscapedEquals(inner, text);
    }

    /// <summary>A string value, or null where it is none, is longer than <paramref name="maxBytes"/>, or is no Unicode.</summary>
    public static string? ReadText(ReadOnlySpan<byte> json, JsonSlice value, int maxBytes = 1024)
    {
        if (!value.IsString || value.Length > maxBytes)
        {
            return null;
        }

        var inner = value.Inner.In(json);
        if (!inner.Contains((byte)'\\'))
        {
            return Encoding.UTF8.GetString(inner);
        }

        var reader = new Utf8JsonReader(value.In(json), Options);
        reader.Read();
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: well-formed JSON, but no text.
            return null;
        }
    }

    /// <summary>A string value of any length, or null where it is none. Half a surrogate pair is read as U+FFFD: it is no text.</summary>
    public static string? ReadWholeText(ReadOnlySpan<byte> json, JsonSlice value)
    {
        if (!value.IsString)
        {
            return null;
        }

        var text = new StringBuilder();
        var inner = value.Inner.In(json);
        while (!inner.IsEmpty)
        {
            var plain = inner.IndexOf((byte)'\\');
            plain = plain < 0 ? inner.Length : plain;
            text.Append(Encoding.UTF8.GetString(inner[..plain]));
            inner = inner[plain..];
            if (!inner.IsEmpty)
            {
                var (character, length) = Unescape(inner);
                text.Append((char)character);
                inner = inner[length..];
            }
        }

        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>An integer value, or null where it is none.</summary>
    public static int? ReadNumber(ReadOnlySpan<byte> json, JsonSlice value)
    {
        if (value.Kind != JsonTokenType.Number)
        {
            return null;
        }

        var reader = new Utf8JsonReader(value.In(json), Options);
        return reader.Read() && reader.TryGetInt32(out var number) ? number : null;
    }

    private static int IndexOf(ReadOnlySpan<byte> name, bool isEscaped, ReadOnlySpan<byte[]> names)
    {
        for (var index = 0; index < names.Length; index++)
        {
            if (isEscaped ? EscapedEquals(name, names[index]) : name.SequenceEqual(names[index]))
            {
                return index;
            }
        }

        return -1;
    }

    // The reader's own comparison throws on half a surrogate pair; millions of those must not cost millions of exceptions.
    private static bool EscapedEquals(ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> text)
    {
        foreach (var expected in text)
        {
            if (escaped.IsEmpty)
            {
                return false;
            }

            var actual = (int)escaped[0];
            var length = 1;
            if (actual == '\\')
            {
                (actual, length) = Unescape(escaped);
            }

            if (actual != expected)
            {
                return false;
            }

            escaped = escaped[length..];
        }

        return escaped.IsEmpty;
    }

    private static (int Character, int Length) Unescape(ReadOnlySpan<byte> escaped)
    {
        return (char)escaped[1] switch
        {
            'b' => ('\b', 2),
            'f' => ('\f', 2),
            'n' => ('\n', 2),
            'r' => ('\r', 2),
            't' => ('\t', 2),
            'u' => (Hex(escaped[2..6]), 6),
            var itself => (itself, 2),
        };
    }

    private static int Hex(ReadOnlySpan<byte> digits)
    {
        Utf8Parser.TryParse(digits, out int value, out _, 'x');
        return value;
    }
}
