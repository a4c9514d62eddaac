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

    /// <summary>Writes a frame's header and its line end; the payload that it announces must follow.</summary>
    public static void WriteHeader(IBufferWriter<byte> output, BridgeEvent header) =>
        WriteHeader(output, header, BridgeJson.Default.BridgeEvent);

    /// <summary>Reads a header, its line end left out, for a reader that takes the payload as it comes.</summary>
    /// <exception cref="FrameException">It is none.</exception>
    public static BridgeCommand ReadCommandHeader(ReadOnlySpan<byte> line)
    {
        if (line.Length > BridgeProtocol.MaxHeaderBytes)
        {
            throw new FrameException("A frame's header is too long.");
        }

        var reader = new Utf8JsonReader(line);
        var header = Parse(ref reader, BridgeJson.Default.BridgeCommand);
        PayloadBytesOf(header, BridgeProtocol.MaxLineBytes);
        return header;
    }

    /// <summary>Takes one whole frame off the front of <paramref name="input"/>; false where there is no whole one yet.</summary>
    /// <exception cref="FrameException">What is there can never become a frame.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> input, out BridgeEvent header, out ReadOnlySequence<byte> payload) =>
        TryRead(ref input, BridgeJson.Default.BridgeEvent, BridgeProtocol.MaxLineBytes, out header, out payload);

    /// <summary>How long the frame at the front of <paramref name="input"/> is; 0 where its header has not come yet.</summary>
    /// <remarks>Asked once, it saves reading the header again with every piece of a payload that comes slowly.</remarks>
    /// <exception cref="FrameException">What is there can never become a frame.</exception>
    public static long LengthOfEvent(ReadOnlySequence<byte> input) =>
        TryReadHeader(input, BridgeJson.Default.BridgeEvent, BridgeProtocol.MaxLineBytes, out BridgeEvent _, out var line, out var bytes)
            ? line + bytes
            : 0;

    /// <inheritdoc cref="TryRead(ref ReadOnlySequence{byte}, out BridgeEvent, out ReadOnlySequence{byte})"/>
    public static bool TryRead(ref ReadOnlySequence<byte> input, out BridgeCommand header, out ReadOnlySequence<byte> payload) =>
        TryRead(ref input, BridgeJson.Default.BridgeCommand, BridgeProtocol.MaxLineBytes, out header, out payload);

    private static void Write<T>(IBufferWriter<byte> output, T header, ReadOnlySpan<byte> payload, JsonTypeInfo<T> type)
    {
        if (((header as IPayloadFrame)?.Bytes ?? 0) != payload.Length)
        {
            throw new ArgumentException("The header must announce the payload's length.", nameof(payload));
        }

        WriteHeader(output, header, type);
        output.Write(payload);
    }

    private static void WriteHeader<T>(IBufferWriter<byte> output, T header, JsonTypeInfo<T> type)
    {
        using (var writer = new Utf8JsonWriter(output))
        {
            JsonSerializer.Serialize(writer, header, type);
        }

        output.Write("\n"u8);
    }

    private static bool TryRead<T>(
        ref ReadOnlySequence<byte> input,
        JsonTypeInfo<T> type,
        int maxPayloadBytes,
        out T header,
        out ReadOnlySequence<byte> payload)
        where T : class
    {
        payload = default;
        if (!TryReadHeader(input, type, maxPayloadBytes, out header, out var line, out var bytes) || input.Length - line < bytes)
        {
            return false;
        }

        payload = input.Slice(line, bytes);
        input = input.Slice(line + bytes);
        return true;
    }

    private static bool TryReadHeader<T>(
        in ReadOnlySequence<byte> input, JsonTypeInfo<T> type, int maxPayloadBytes, out T header, out long lineBytes, out int payloadBytes)
        where T : class
    {
        header = null!; // Only looked at where the method returns true.
        (lineBytes, payloadBytes) = (0, 0);

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

        if (line.IsSingleSegment && LineHeader.TryParse(line.FirstSpan) is T common)
        {
            header = common;
        }
        else
        {
            var reader = new Utf8JsonReader(line);
            header = Parse(ref reader, type);
        }

        payloadBytes = PayloadBytesOf(header, maxPayloadBytes);
        lineBytes = line.Length + 1;
        return true;
    }

    private static int PayloadBytesOf<T>(T header, int maxPayloadBytes)
    {
        var bytes = (header as IPayloadFrame)?.Bytes ?? 0;
        return bytes >= 0 && bytes <= maxPayloadBytes
            ? bytes
            : throw new FrameException($"A frame announces {bytes} bytes; 0 to {maxPayloadBytes} are allowed.");
    }

    private static T Parse<T>(ref Utf8JsonReader reader, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(ref reader, type) ?? throw new FrameException("A frame's header is null.");
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException)
        {
            throw new FrameException("A frame's header is no valid JSON of a known type.", failure);
        }
    }
}
