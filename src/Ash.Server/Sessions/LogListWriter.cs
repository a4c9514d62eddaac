using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Events;

namespace Ash.Server.Sessions;

/// <summary>
/// Writes a list of the history or of the timeline as it is read: a page may be a thousand rows of 64 MB each, and no more of it
/// is held than one row and a piece of its text.
/// </summary>
/// <remarks>What it writes is what <see cref="MessageListEnvelope"/> and <see cref="SessionEventListEnvelope"/> say.</remarks>
internal sealed class LogListWriter : IDisposable
{
    private const int ChunkBytes = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _chunk = new(2 * ChunkBytes);
    private readonly Utf8JsonWriter _json;
    private readonly PipeWriter _output;
    private readonly Guid _sessionId;
    private readonly string _tenantId;
    private readonly (string List, string Kind, string Text) _names;

    private LogListWriter(PipeWriter output, Guid sessionId, string tenantId, (string List, string Kind, string Text) names)
    {
        _json = new Utf8JsonWriter(_chunk);
        _output = output;
        _sessionId = sessionId;
        _tenantId = tenantId;
        _names = names;
    }

    public static LogListWriter ForMessages(PipeWriter output, Guid sessionId, string tenantId) =>
        new(output, sessionId, tenantId, ("messages", "role", "content"));

    public static LogListWriter ForEvents(PipeWriter output, Guid sessionId, string tenantId) =>
        new(output, sessionId, tenantId, ("events", "type", "data"));

    /// <remarks>A failure before the first chunk leaves the output untouched.</remarks>
    public async Task WriteAsync(IAsyncEnumerable<LogItem> items, CancellationToken cancellationToken)
    {
        _json.WriteStartObject();
        _json.WriteStartArray(_names.List);
        await foreach (var item in items.WithCancellation(cancellationToken))
        {
            await WriteAsync(item, cancellationToken);
        }

        _json.WriteEndArray();
        _json.WriteEndObject();
        await SendAsync(atLeast: 0, cancellationToken);
    }

    public void Dispose() => _json.Dispose();

    private async ValueTask WriteAsync(LogItem item, CancellationToken cancellationToken)
    {
        _json.WriteStartObject();
        _json.WriteString("id", item.Id);
        _json.WriteString("sessionId", _sessionId);
        _json.WriteString("tenantId", _tenantId);
        _json.WriteString(_names.Kind, item.Kind);
        _json.WritePropertyName(_names.Text);
        foreach (var piece in item.Text.Pieces)
        {
            for (var rest = piece; rest.Length > 0;)
            {
                var part = rest[..Math.Min(rest.Length, ChunkBytes)];
                rest = rest[part.Length..];
                _json.WriteStringValueSegment(part.Span, isFinalSegment: false);
                await SendAsync(ChunkBytes, cancellationToken);
            }
        }

        _json.WriteStringValueSegment(ReadOnlySpan<byte>.Empty, isFinalSegment: true);
        _json.WriteNumber("sequence", item.Sequence);
        _json.WriteString("createdAt", item.At.UtcDateTime.ToString(TimestampConverter.Format, CultureInfo.InvariantCulture));
        _json.WriteEndObject();
        await SendAsync(ChunkBytes, cancellationToken);
    }

    /// <summary>A client that reads slowly is waited for.</summary>
    private async ValueTask SendAsync(int atLeast, CancellationToken cancellationToken)
    {
        if (_chunk.WrittenCount + _json.BytesPending < atLeast)
        {
            return;
        }

        await _json.FlushAsync(cancellationToken);
        await _output.WriteAsync(_chunk.WrittenMemory, cancellationToken);
        _chunk.ResetWrittenCount();
    }
}
