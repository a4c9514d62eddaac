using System.Text.Json;

namespace Ash.Server.Events;

/// <summary>Where a JSON value stands in the bytes that it was found in, quotes and brackets included.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">How many bytes it takes.</param>
/// <param name="Kind">Its first token; <see cref="JsonTokenType.None"/> where there is no such value.</param>
internal readonly record struct JsonSlice(int Start, int Length, JsonTokenType Kind)
{
    public bool Exists => Kind != JsonTokenType.None;

    /// <summary>Whether there is a value, and not <c>null</c>.</summary>
    public bool HasValue => Kind is not (JsonTokenType.None or JsonTokenType.Null);

    public bool IsString => Kind == JsonTokenType.String;
    public bool IsObject => Kind == JsonTokenType.StartObject;
    public bool IsArray => Kind == JsonTokenType.StartArray;
    public bool IsTrue => Kind == JsonTokenType.True;

    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> json) => json.Slice(Start, Length);

    /// <summary>What stands between the quotes, or brackets, as it is written.</summary>
    public JsonSlice Inner => new(Start + 1, Length - 2, Kind);

    public static JsonSlice Whole(ReadOnlySpan<byte> json) => new(0, json.Length, JsonTokenType.StartObject);
}
