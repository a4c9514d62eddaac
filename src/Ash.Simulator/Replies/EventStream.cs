using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;

namespace Ash.Simulator.Replies;

/// <summary>Writes server-sent events; they leave the process before each pause, and when enough of them wait.</summary>
internal sealed class EventStream(PipeWriter output) : IDisposable
{
    private const int FlushBytes = 8 * 1024;

    private readonly Utf8JsonWriter _json = new(output, ReplyJson.Writing);

    /// <summary>Writes an event whose data is an object with this type and the properties that <paramref name="write"/> adds.</summary>
    public ValueTask WriteAsync(string type, Action<Utf8JsonWriter>? write, CancellationToken cancellationToken) =>
        WriteRawAsync(type, json =>
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            write?.Invoke(json);
            json.WriteEndObject();
        }, cancellationToken);

    /// <summary>Writes an event whose data <paramref name="write"/> writes whole.</summary>
    public async ValueTask WriteRawAsync(string type, Action<Utf8JsonWriter> write, CancellationToken cancellationToken)
    {
        Encoding.UTF8.GetBytes($"event: {type}\ndata: ", output);
        write(_json);
        _json.Flush();
        _json.Reset(); // the next event is a value of its own
        output.Write("\n\n"u8);

        if (output.UnflushedBytes >= FlushBytes)
        {
            await FlushAsync(cancellationToken);
        }
    }

    public void Dispose() => _json.Dispose();

    public async ValueTask FlushAsync(CancellationToken cancellationToken) => await output.FlushAsync(cancellationToken);
}
