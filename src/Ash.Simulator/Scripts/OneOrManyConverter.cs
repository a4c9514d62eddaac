using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ash.Simulator.Scripts;

/// <summary>Reads a list, or the one item that it would hold.</summary>
internal sealed class OneOrManyConverter<T> : JsonConverter<IReadOnlyList<T>>
{
    public override IReadOnlyList<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return [ReadItem(ref reader, options)];
        }

        var items = new List<T>();

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(ReadItem(ref reader, options));
        }

        return items;
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<T> value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();

        foreach (var item in value)
        {
            JsonSerializer.Serialize(writer, item, options);
        }

        writer.WriteEndArray();
    }

    private static T ReadItem(ref Utf8JsonReader reader, JsonSerializerOptions options)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(ref reader, options) ?? throw new JsonException("a null stands where a value is due");
        }
        catch (JsonException invalid)
        {
            // Without a path of its own, the exception gets that of the property.
            throw new JsonException(ScriptJson.Explain(invalid));
        }
    }
}
