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
                json.WriteStringValue(read.Data.Span);
            }
            else
            {
                read.Json.WriteTo(json);
            }

            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(line.GetBuffer().AsSpan(0, (int)line.Length)));
        output.Flush();
    }

    public void Finish()
    {
    }
}
