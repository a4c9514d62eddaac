using System.Text;

namespace Ash.Server.Events;

/// <summary>A JSON text put together from values of a payload as they stand there: a long value is shown without a copy of it.</summary>
internal sealed class JsonPieces(ReadOnlyMemory<byte> payload)
{
    private readonly List<ReadOnlyMemory<byte>> _pieces = [];
    private bool _hasMembers;

    /// <summary>One after the other, they are the text.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Pieces => _pieces;

    public static JsonPieces Whole(ReadOnlyMemory<byte> payload)
    {
        var text = new JsonPieces(payload);
        text._pieces.Add(payload);
        return text;
    }

    public JsonPieces BeginObject() => Add("{");

    public JsonPieces EndObject() => Add("}");

    /// <summary>Adds a value of the payload; where there is none, or <c>null</c> would stand for <paramref name="orElse"/>, that.</summary>
    public JsonPieces AddMember(string name, JsonSlice value, string? orElse = null)
    {
        if (value.HasValue || (value.Exists && orElse is null))
        {
            AddName(name);
            _pieces.Add(payload.Slice(value.Start, value.Length));
        }
        else if (orElse is not null)
        {
            AddName(name).Add(orElse);
        }

        return this;
    }

    /// <summary>Adds a text that needs no escapes.</summary>
    public JsonPieces AddMember(string name, string plainText) => AddName(name).Add($"\"{plainText}\"");

    /// <summary>Adds all members of the payload, which is one object or empty.</summary>
    public JsonPieces AddMembers()
    {
        var json = payload.Span;
        var start = json.IndexOf((byte)'{') + 1;
        var end = json.LastIndexOf((byte)'}');
        if (start > 0 && end >= start && json[start..end].ContainsAnyExcept(" \t\r\n"u8))
        {
            Add(_hasMembers ? "," : "");
            _pieces.Add(payload[start..end]);
        }

        return this;
    }

    public override string ToString() => string.Concat(_pieces.Select(piece => Encoding.UTF8.GetString(piece.Span)));

    private JsonPieces AddName(string name)
    {
        Add($"{(_hasMembers ? "," : "")}\"{name}\":");
        _hasMembers = true;
        return this;
    }

    private JsonPieces Add(string text)
    {
        _pieces.Add(Encoding.UTF8.GetBytes(text));
        return this;
    }
}
