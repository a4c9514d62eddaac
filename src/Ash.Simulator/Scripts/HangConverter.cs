using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ash.Simulator.Scripts;

/// <summary><c>true</c> hangs for ever, a number for so many milliseconds, <c>false</c> not at all.</summary>
internal sealed class HangConverter : JsonConverter<TimeSpan?>
{
    public override TimeSpan? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType switch
        {
            JsonTokenType.True => Timeout.InfiniteTimeSpan,
            JsonTokenType.False or JsonTokenType.Null => null,
            JsonTokenType.Number => TimeSpan.FromMilliseconds(reader.GetInt32()),
            _ => throw new JsonException("hang is true or a number of milliseconds."),
        };

    public override void Write(Utf8JsonWriter writer, TimeSpan? value, JsonSerializerOptions options)
    {
        if (value is not { } time)
        {
            writer.WriteNullValue();
        }
        else if (time == Timeout.InfiniteTimeSpan)
        {
            writer.WriteBooleanValue(true);
        }
        else
        {
            writer.WriteNumberValue((int)time.TotalMilliseconds);
        }
    }
}
