using System.Text.Json;
using Ash.Simulator.Replies;
using Ash.Simulator.Conversations;
using Ash.Simulator.Requests;
using Ash.Simulator.Scripts;
using Microsoft.AspNetCore.Http;

namespace Ash.Simulator;

/// <summary>One call of the Messages API: the answer that its step asks for, with all the ways in which that can fail.</summary>
internal sealed class Exchange(ModelSimulator simulator, HttpContext context, RecordedRequest recorded, CancellationToken cancellationToken)
{
    private readonly TimeProvider _clock = simulator.Options.Clock;

    public HttpRequest Request => context.Request;

    /// <summary>The ids that the script lists for <c>GET /v1/models</c>.</summary>
    public IReadOnlyList<string>? Models => simulator.Playbook.Script.Models;

    /// <summary>Answers, and says how that went.</summary>
    /// <exception cref="OperationCanceledException">The client went away, or the host stops.</exception>
    public async Task<string> AnswerAsync()
    {
        if (!TryReadBody(out var body))
        {
            return await SendErrorAsync(400, "The request body is not a JSON object.");
        }

        StepChoice choice;
        ModelRequest request;

        try
        {
            request = new(body, context.Request.Headers, simulator.Playbook.Script.Continuations);
            choice = simulator.Playbook.Choose(request);
        }
        catch (ScriptException invalid)
        {
            return await SendErrorAsync(400, $"bad {InlineScript.Mark} script: {invalid.Message}");
        }

        var conversation = request.Conversation;
        recorded.Reply = new(choice.Source, conversation.Prompt, conversation.Step, conversation.UserTexts);
        simulator.Log.SignalChange();

        return await PlayAsync(choice.Step, request);
    }

    /// <summary>Answers with an error in the API's shape.</summary>
    public async Task<string> SendErrorAsync(int status, string message)
    {
        await SendJsonAsync(status, ErrorReply.Body(status, message, recorded.RequestId));
        return $"{status}";
    }

    public async Task SendJsonAsync(int status, ReadOnlyMemory<byte> json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, cancellationToken);
    }

    public bool TryReadBody(out JsonElement body)
    {
        try
        {
            using var document = JsonDocument.Parse(recorded.Body, new() { MaxDepth = 512 });
            body = document.RootElement.Clone();
            return body.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            body = default;
            return false;
        }
    }

    private async Task<string> PlayAsync(ScriptStep step, ModelRequest request)
    {
        AddHeaders(simulator.Playbook.Script.Headers);
        AddHeaders(step.Headers);
        await PauseAsync(step.DelayMs);

        if (step is { Gate: { } gate, GateAfterChunks: null })
        {
            await simulator.Gates.PassAsync(gate, cancellationToken);
        }

        if (step.Hang is { } time)
        {
            await Task.Delay(time, _clock, cancellationToken);
            return Drop("hung");
        }

        if (step.Drop)
        {
            return Drop("dropped");
        }

        if (step.Error is { } error)
        {
            return await SendErrorAsync(error);
        }

        if (step.Events is { } events)
        {
            return await SendEventsAsync(events, step, new(request));
        }

        var message = new ReplyMessage(step, request);

        if (request.Stream)
        {
            return await SendStreamAsync(message, step);
        }

        await SendJsonAsync(200, ReplyJson.Write(message.Write));
        return "200";
    }

    private async Task<string> SendErrorAsync(ScriptError error)
    {
        AddHeaders(error.Headers);
        await SendJsonAsync(error.Status, error.Body is { } body
            ? ReplyJson.Write(body.WriteTo)
            : ErrorReply.Body(error.Status, error.Message, recorded.RequestId, error.Type));

        return $"{error.Status}";
    }

    private async Task<string> SendEventsAsync(IReadOnlyList<JsonElement> events, ScriptStep step, Placeholders placeholders)
    {
        using var stream = StartStream();

        foreach (var sent in events.Select(placeholders.Fill))
        {
            await stream.WriteRawAsync(MessageJson.Text(sent, "type") ?? "message", sent.WriteTo, cancellationToken);
            await PauseAsync(step.ChunkDelayMs, stream);
        }

        await stream.FlushAsync(cancellationToken);
        return "200 verbatim";
    }

    private async Task<string> SendStreamAsync(ReplyMessage message, ScriptStep step)
    {
        using var stream = StartStream();
        await stream.WriteAsync("message_start", json => WriteProperty(json, "message", message.WriteStart), cancellationToken);
        await stream.WriteAsync("ping", null, cancellationToken);
        await stream.FlushAsync(cancellationToken);
        await PauseAsync(step.FirstTokenDelayMs, stream);

        var sent = 0;

        for (var index = 0; index < message.Blocks.Count; index++)
        {
            var block = message.Blocks[index];
            await WriteBlockEventAsync(stream, "content_block_start", index, json => WriteProperty(json, "content_block", inner => block.Write(inner, complete: false)));

            foreach (var piece in block.Growing is { } text ? Pieces.Of(text, message.PieceLength) : [])
            {
                if (await BreakOffAsync(stream, step, sent) is { } outcome)
                {
                    return outcome;
                }

                await WriteBlockDeltaAsync(stream, index, json => block.WriteDelta(json, piece));
                sent++;
                await PauseAsync(step.ChunkDelayMs, stream);
            }

            if (block is ThinkingBlock)
            {
                await WriteBlockDeltaAsync(stream, index, json =>
                {
                    json.WriteString("type", "signature_delta");
                    json.WriteString("signature", ThinkingBlock.Signature);
                });
            }

            await WriteBlockEventAsync(stream, "content_block_stop", index, null);
        }

        if (await BreakOffAsync(stream, step, sent, last: true) is { } end)
        {
            return end;
        }

        await stream.WriteAsync("message_delta", message.WriteDelta, cancellationToken);
        await stream.WriteAsync("message_stop", null, cancellationToken);
        await stream.FlushAsync(cancellationToken);
        return "200 stream";
    }

    /// <summary>Waits at the step's gate, then fails in its way, when so many pieces are the place for it.</summary>
    /// <returns>How the reply ended, or null when it goes on.</returns>
    private async Task<string?> BreakOffAsync(EventStream stream, ScriptStep step, int sent, bool last = false)
    {
        // A number beyond the last piece means the end of the reply.
        bool IsDue(int? after) => after is { } pieces && (last ? pieces >= sent : pieces == sent);

        if (step.Gate is { } gate && IsDue(step.GateAfterChunks))
        {
            await stream.FlushAsync(cancellationToken);
            await simulator.Gates.PassAsync(gate, cancellationToken);
        }

        if (IsDue(step.DropAfterChunks))
        {
            await stream.FlushAsync(cancellationToken);
            throw new ReplyDroppedException();
        }

        if (step.StreamError is { } error && IsDue(error.AfterChunks))
        {
            await stream.WriteAsync("error", json => ErrorReply.WriteError(json, error.Status, error.Message, error.Type), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            return "200 stream error";
        }

        return null;
    }

    private EventStream StartStream()
    {
        context.Response.StatusCode = 200;
        context.Response.Headers.TryAdd("content-type", "text/event-stream; charset=utf-8");
        context.Response.Headers.TryAdd("cache-control", "no-cache");
        return new(context.Response.BodyWriter);
    }

    private ValueTask WriteBlockEventAsync(EventStream stream, string type, int index, Action<Utf8JsonWriter>? write) =>
        stream.WriteAsync(type, json =>
        {
            json.WriteNumber("index", index);
            write?.Invoke(json);
        }, cancellationToken);

    private ValueTask WriteBlockDeltaAsync(EventStream stream, int index, Action<Utf8JsonWriter> writeDelta) =>
        WriteBlockEventAsync(stream, "content_block_delta", index, json => WriteProperty(json, "delta", inner =>
        {
            inner.WriteStartObject();
            writeDelta(inner);
            inner.WriteEndObject();
        }));

    private static void WriteProperty(Utf8JsonWriter json, string name, Action<Utf8JsonWriter> write)
    {
        json.WritePropertyName(name);
        write(json);
    }

    private string Drop(string outcome)
    {
        context.Abort();
        return outcome;
    }

    private void AddHeaders(Dictionary<string, string>? headers)
    {
        foreach (var (name, value) in headers ?? [])
        {
            context.Response.Headers[name] = value;
        }
    }

    private async Task PauseAsync(int milliseconds, EventStream? stream = null)
    {
        if (milliseconds <= 0)
        {
            return;
        }

        if (stream is not null)
        {
            await stream.FlushAsync(cancellationToken);
        }

        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), _clock, cancellationToken);
    }
}
