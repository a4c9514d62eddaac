using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ash.Simulator.Replies;

/// <summary>How replies are written: as the API does, with only those characters escaped that JSON demands.</summary>
internal static class ReplyJson
{
    public static JsonWriterOptions Writing { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonWriterOptions WritingIndented { get; } = Writing with { Indented = true };

    /// <summary>Writes one value.</summary>
    public static void Write(IBufferWriter<byte> output, Action<Utf8JsonWriter> write)
    {
        using var writer = new Utf8JsonWriter(output, Writing);
        write(writer);
    }

    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var output = new ArrayBufferWriter<byte>();
        Write(output, write);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Writes an object whose properties <paramref name="write"/> adds.</summary>
    public static byte[] WriteObject(Action<Utf8JsonWriter> write) => Write(json =>
    {
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    });
}
