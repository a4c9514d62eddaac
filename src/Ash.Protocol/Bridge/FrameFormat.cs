using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Ash.Protocol.Bridge;

/// <summary>Frames on the wire: a JSON header on one line, then, where it says so, that many raw bytes.</summary>
public static class FrameFormat
{
    /// <summary>Writes a frame.</summary>
    public static void Write(IBufferWriter<byte> output, BridgeEvent header, ReadOnlySpan<byte> payload = default) =>
        Write(output, header, payload, BridgeJson.Default.BridgeEvent);

    /// <inheritdoc cref="Write(IBufferWriter{byte}, BridgeEvent, ReadOnlySpan{byte})"/>
    public static void Write(IBufferWriter<byte> output, BridgeCommand header, ReadOnlySpan<byte> payload = default) =>
        Write(output, header, payload, BridgeJson.Default.BridgeCommand);

    /// <summary>Takes one whole frame off the front of <paramref name="input"/>; false where there is no whole one yet.</summary>
    /// <exception cref="FrameException">What is there can never become a frame.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> input, out BridgeEvent header, out ReadOnlySequence<byte> payload) =>
        TryRead(ref input, BridgeJson.Default.BridgeEvent, BridgeProtocol.MaxLineBytes, out header, out payload);

    /// <inheritdoc cref="TryRead(ref ReadOnlySequence{byte}, out BridgeEvent, out ReadOnlySequence{byte})"/>
    public static bool TryRead(ref ReadOnlySequence<byte> input, out BridgeCommand header, out ReadOnlySequence<byte> payload) =>
        TryRead(ref input, BridgeJson.Default.BridgeCommand, BridgeProtocol.MaxLineBytes, out header, out payload);

    private static void Write<T>(IBufferWriter<byte> output, T header, ReadOnlySpan<byte> payload, JsonTypeInfo<T> type)
    {
        if (((header as IPayloadFrame)?.Bytes ?? 0) != payload.Length)
        {
            throw new ArgumentException("The header must announce the payload's length.", nameof(payload));
        }

        using (var writer = new Utf8JsonWriter(output))
        {
            JsonSerializer.Serialize(writer, header, type);
        }

        output.Write("\n"u8);
        output.Write(payload);
    }

    private static bool TryRead<T>(
        ref ReadOnlySequence<byte> input,
        JsonTypeInfo<T> type,
        int maxPayloadBytes,
        out T header,
        out ReadOnlySequence<byte> payload)
        where T : class
    {
        header = null!; // Only looked at where the method returns true.
        payload = default;

        if (input.PositionOf((byte)'\n') is not { } lineEnd)
        {
            return input.Length <= BridgeProtocol.MaxHeaderBytes
                ? false
                : throw new FrameException("A frame's header is too long.");
        }

        var line = input.Slice(0, lineEnd);
        if (line.Length > BridgeProtocol.MaxHeaderBytes)
        {
            throw new FrameException("A frame's header is too long.");
        }

        header = Parse(line, type);
        var bytes = (header as IPayloadFrame)?.Bytes ?? 0;
        if (bytes < 0 || bytes > maxPayloadBytes)
        {
            throw new FrameException($"A frame announces {bytes} bytes; 0 to {maxPayloadBytes} are allowed.");
        }

        var rest = input.Slice(input.GetPosition(1, lineEnd));
        if (rest.Length < bytes)
        {
            return false;
        }

        payload = rest.Slice(0, bytes);
        input = rest.Slice(bytes);
        return true;
    }

    private static T Parse<T>(ReadOnlySequence<byte> line, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            return JsonSerializer.Deserialize(ref reader, type) ?? throw new FrameException("A frame's header is null.");
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException)
        {
            throw new FrameException("A frame's header is no valid JSON of a known type.", failure);
        }
    }
}
