using System.Text.Json;

namespace Ash.Server.Events;

/// <summary>The elements of a well-formed JSON array, one after the other.</summary>
internal ref struct JsonElements
{
    private readonly int _offset;
    private Utf8JsonReader _reader;

    public JsonElements(ReadOnlySpan<byte> json, JsonSlice array)
    {
        _offset = array.Start;
        _reader = new(array.In(json), Json.Options);
        _reader.Read();
    }

    public JsonSlice Current { get; private set; }

    public readonly JsonElements GetEnumerator() => this;

    public bool MoveNext()
    {
        if (!_reader.Read() || _reader.TokenType == JsonTokenType.EndArray)
        {
            return false;
        }

        var start = (int)_reader.TokenStartIndex;
        var kind = _reader.TokenType;
        _reader.Skip();
        Current = new(_offset + start, (int)_reader.BytesConsumed - start, kind);
        return true;
    }
}
