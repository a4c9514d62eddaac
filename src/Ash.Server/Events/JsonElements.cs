using System.Text.Json;

namespace Ash.Server.Events;

/// <summary>The elements of a well-formed JSON array, one after the other.</summary>
internal ref struct JsonElements
{
    private readonly int offset;
    private Utf8JsonReader reader;

    public JsonElements(ReadOnlySpan<byte> json, JsonSlice array)
    {
        offset = array.Start;
        reader = new(array.In(json), Json.Options);
        reader.Read();
    }

    public JsonSlice Current { get; private set; }

    public readonly JsonElements GetEnumerator() => this;

    public bool MoveNext()
    {
        if (!reader.Read() || reader.TokenType == JsonTokenType.EndArray)
        {
            return false;
        }

        var start = (int)reader.TokenStartIndex;
        var kind = reader.TokenType;
        reader.Skip();
        Current = new(offset + start, (int)reader.BytesConsumed - start, kind);
        return true;
    }
}
