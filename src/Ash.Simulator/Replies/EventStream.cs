using System.IO.Pipelines;
using System.Text;
using System.Text.Json;

namespace Ash.Simulator.Replies;

/// <summary>Writes server-sent events; they leave the process before each pause, and when enough of them wait.</summary>
internal sealed class EventStream(PipeWriter output)
{
    private const int FlushBytes = 8 * 1024;

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
        ReplyJson.Write(output, write);
        Encoding.UTF8.GetBytes("\n\n", output);

        if (output.UnflushedBytes >= FlushBytes)
        {
            await FlushAsync(cancellationToken);
        }
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken) => await output.FlushAsync(cancellationToken);
}
