using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Runner.Kernel;
using Ash.Runner.Workspaces;

namespace Ash.Server.Files;

/// <summary>Writes a listing while the workspace is read: what it says is what <see cref="FileListing"/> says.</summary>
internal sealed class FileListWriter(PipeWriter output) : IDisposable
{
    private const int ChunkBytes = 16 * 1024;

    private readonly ArrayBufferWriter<byte> _chunk = new(2 * ChunkBytes);
    private Utf8JsonWriter? _json;

    public async Task WriteAsync(WorkspaceListing listing, string source, CancellationToken cancellationToken)
    {
        _json = new Utf8JsonWriter(_chunk);
        _json.WriteStartObject();
        _json.WriteStartArray("files");
        foreach (var entry in listing)
        {
            if (entry.Description.Kind == FileKind.File)
            {
                Write(_json, entry);
                await SendAsync(_json, ChunkBytes, cancellationToken);
            }
        }

        _json.WriteEndArray();
        _json.WriteString("source", source);
        if (listing.IsCut)
        {
            _json.WriteBoolean("truncated", true);
        }

        _json.WriteEndObject();
        await SendAsync(_json, atLeast: 0, cancellationToken);
    }

    public void Dispose() => _json?.Dispose();

    private static void Write(Utf8JsonWriter json, WorkspaceEntry entry)
    {
        json.WriteStartObject();
        json.WriteString("path", entry.Path);
        json.WriteNumber("size", entry.Description.Size);
        json.WriteString(
            "modifiedAt",
            entry.Description.ModifiedAt.UtcDateTime.ToString(TimestampConverter.Format, CultureInfo.InvariantCulture));
        json.WriteEndObject();
    }

    private async ValueTask SendAsync(Utf8JsonWriter json, int atLeast, CancellationToken cancellationToken)
    {
        if (_chunk.WrittenCount + json.BytesPending < atLeast)
        {
            return;
        }

        await json.FlushAsync(cancellationToken);
        await output.WriteAsync(_chunk.WrittenMemory, cancellationToken);
        _chunk.ResetWrittenCount();
    }
}
