using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Ash.Client.Events;

/// <summary>
/// Reads JSON that an agent wrote. It is well formed, but may hold half of a surrogate pair, in a text or in a name, at which the
/// methods of <see cref="JsonElement"/> throw. These never do.
/// </summary>
public static class AgentJson
{
    /// <summary>A string's text; null where it is no string.</summary>
    /// <remarks>Half of a surrogate pair stays what it is, as in JavaScript: its other half may come with the next piece.</remarks>
    public static string? ReadText(this JsonElement json) =>
        json.ValueKind == JsonValueKind.String ? Unescape(JsonMarshal.GetRawUtf8Value(json)[1..^1]) : null;

    /// <summary>A member of an object; of kind <see cref="JsonValueKind.Undefined"/> where there is none.</summary>
    public static JsonElement FindMember(this JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return default;
        }

        try
        {
            return json.TryGetProperty(name, out var found) ? found : default;
        }
        catch (InvalidOperationException)
        {
            // One of the names is no text.
            return json.EnumerateObject().LastOrDefault(member => Unescape(JsonMarshal.GetRawUtf8PropertyName(member)) == name).Value;
        }
    }

    private static string Unescape(ReadOnlySpan<byte> escaped)
    {
        var escape = escaped.IndexOf((byte)'\\');

        if (escape < 0)
        {
            return Encoding.UTF8.GetString(escaped);
        }

        var text = new StringBuilder(escaped.Length);

        while (escape >= 0)
        {
            text.Append(Encoding.UTF8.GetString(escaped[..escape]));
            var (character, length) = ReadEscape(escaped[escape..]);
            text.Append(character);
            escaped = escaped[(escape + length)..];
            escape = escaped.IndexOf((byte)'\\');
        }

        return text.Append(Encoding.UTF8.GetString(escaped)).ToString();
    }

    private static (char Character, int Length) ReadEscape(ReadOnlySpan<byte> escape) => (char)escape[1] switch
    {
        'b' => ('\b', 2),
        'f' => ('\f', 2),
        'n' => ('\n', 2),
        'r' => ('\r', 2),
        't' => ('\t', 2),
        'u' => ((char)ushort.Parse(escape[2..6], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), 6),
        var itself => (itself, 2),
    };
}
