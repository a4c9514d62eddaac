using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Ash.Server.Configuration;
using Ash.Server.Storage;

namespace Ash.Server.Telemetry;

/// <summary>Lines of JSON for machines that read the standard error (contract 13.3, 13.4): each resume, and times where those are asked for.</summary>
/// <remarks>Nobody waits for a reader: what does not fit is left out.</remarks>
internal sealed class TelemetryLines(TextWriter output, ServerSettings settings, TimeProvider clock) : BackgroundService
{
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    public void WriteResume(SessionRecord session, Resumption resumption) => Write(writer =>
    {
        writer.WriteString("type"u8, "resume_hit"u8);
        writer.WriteString("path"u8, resumption.Path);
        if (resumption.Source is { } source)
        {
            writer.WriteString("source"u8, source);
        }

        writer.WriteString("sessionId"u8, session.Id);
        writer.WriteString("agentName"u8, session.AgentName);
        writer.WriteString("ts"u8, Now());
    });

    /// <param name="sessionId">Whose turn it was.</param>
    /// <param name="sandboxId">Null where it had none.</param>
    /// <param name="waited">From the message to the process.</param>
    /// <param name="firstOutput">From the message to the first of the answer.</param>
    /// <param name="total">From the message to the end.</param>
    /// <param name="events">So many lines of the process.</param>
    public void WriteTurn(Guid sessionId, string? sandboxId, TimeSpan? waited, TimeSpan? firstOutput, TimeSpan total, int events) =>
        WriteTiming("server", sessionId, sandboxId, writer =>
        {
            WriteTime(writer, "lookupMs", waited);
            WriteTime(writer, "firstEventMs", firstOutput);
            WriteTime(writer, "totalMs", total);
            writer.WriteNumber("eventCount"u8, events);
        });

    /// <param name="sessionId">Whose sandbox it is.</param>
    /// <param name="sandboxId">The sandbox.</param>
    /// <param name="spawned">From the start to its processes.</param>
    /// <param name="connected">From there until it has its environment.</param>
    public void WriteSandbox(Guid sessionId, string sandboxId, TimeSpan spawned, TimeSpan connected) =>
        WriteTiming("sandbox", sessionId, sandboxId, writer =>
        {
            WriteTime(writer, "bridgeSpawnMs", spawned);
            WriteTime(writer, "bridgeConnectMs", connected);
            WriteTime(writer, "totalMs", spawned + connected);
        });

    /// <summary>What was said before the stop is written.</summary>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _lines.Writer.TryComplete();
        return base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var line in _lines.Reader.ReadAllAsync(CancellationToken.None))
        {
            await output.WriteLineAsync(line);
        }
    }

    private void WriteTiming(string source, Guid sessionId, string? sandboxId, Action<Utf8JsonWriter> write)
    {
        if (!settings.DebugTiming)
        {
            return;
        }

        Write(writer =>
        {
            writer.WriteString("type"u8, "timing"u8);
            writer.WriteString("source"u8, source);
            writer.WriteString("sessionId"u8, sessionId);
            writer.WriteString("sandboxId"u8, sandboxId);
            write(writer);
            writer.WriteString("timestamp"u8, Now());
        });
    }

    private static void WriteTime(Utf8JsonWriter writer, string name, TimeSpan? time)
    {
        if (time is { } taken)
        {
            writer.WriteNumber(name, Math.Round(taken.TotalMilliseconds, 2));
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    private void Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        _lines.Writer.TryWrite(Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
    }

    private string Now() => clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
