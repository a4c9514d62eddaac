using System.Text;
using System.Text.Json;
using Ash.Client.Events;

namespace Ash.Cli.Sessions;

/// <summary>One event a line: <c>{"id":…,"event":…,"data":…}</c>.</summary>
internal sealed class TurnJsonWriter(TextWriter output) : ITurnWriter
{
    public void Write(AshEvent read)
    {
        using var line = new MemoryStream();

        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("id", read.Id);
            json.WriteString("event", read.Name);
            json.WritePropertyName("data");

            if (read.Json.ValueKind == JsonValueKind.Undefined)
            {
                json.WriteStringValue(Encoding.UTF8.GetString(read.Data.Span));
            }
            else
            {
                json.WriteRawValue(OneAsciiLine(read.Data.Span), skipInputValidation: true);
            }

            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(line.GetBuffer().AsSpan(0, (int)line.Length)));
        output.Flush();
    }

    public void Finish()
    {
    }

    /// <summary>
    /// The same JSON. Only its strings can hold what is not ASCII, which might be something that a terminal obeys; only between its
    /// tokens can a line end.
    /// </summary>
    /// <remarks>Not written anew, which fails at half of a surrogate pair.</remarks>
    private static string OneAsciiLine(ReadOnlySpan<byte> data)
    {
        var line = new StringBuilder(data.Length);

        foreach (var c in Encoding.UTF8.GetString(data))
        {
            _ = c switch
            {
                '\r' or '\n' => line.Append(' '),
                > '\x7e' => line.Append("\\u").Append($"{(int)c:x4}"),
                _ => line.Append(c),
            };
        }

        return line.ToString();
    }
}
