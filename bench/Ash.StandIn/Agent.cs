using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Ash.StandIn;

/// <summary>Speaks the CLI's stream-json, and calls no model unless told to: what is left of a turn's time is Ash's.</summary>
/// <remarks>
/// Each delta carries the monotonic clock, in nanoseconds, at the moment it is written, each result when its prompt was taken and
/// when it was answered: the same clock as on the host. Where the model was called, the nanoseconds of each call follow.
/// </remarks>
internal sealed class Agent(Stream output)
{
    private static readonly TimeSpan UsualTime = TimeSpan.FromMilliseconds(50);
    private readonly string _padding = new('x', 120);

    public async Task TakeAsync(string line)
    {
        using var document = JsonDocument.Parse(line);
        var message = document.RootElement;
        switch (message.GetProperty("type").GetString())
        {
            case "control_request":
                var request = message.GetProperty("request_id").GetString();
                Say($$"""{"type":"control_response","response":{"subtype":"success","request_id":"{{request}}"} }""");
                break;
            case "user":
                await AnswerAsync(message);
                break;
        }
    }

    private async Task AnswerAsync(JsonElement message)
    {
        var taken = Nanoseconds();
        var calls = string.Empty;
        var id = message.GetProperty("uuid").GetString()!;
        if (!message.TryGetProperty("shouldQuery", out var asks) || asks.GetBoolean())
        {
            var prompt = Prompt.Parse(message.GetProperty("message").GetProperty("content").GetRawText());
            if (prompt.HasDelay)
            {
                await Task.Delay(UsualTime);
            }

            if (prompt.Calls > 0)
            {
                calls = $" calls {string.Join(',', CallModel(prompt))}";
            }

            for (var i = 0; i < prompt.Deltas; i++)
            {
                SayDelta();
                if (prompt.Pause > TimeSpan.Zero)
                {
                    Thread.Sleep(prompt.Pause); // Nearer to a millisecond than a timer, and nobody else needs the thread.
                }
            }

            for (var i = 0; i < prompt.Messages; i++)
            {
                SayMessage(_padding);
            }

            SayMessage("done");
        }

        Say($$"""{"type":"result","subtype":"success","is_error":false,"num_turns":1,"result":"took {{taken}} answered {{Nanoseconds()}}{{calls}}","usage":{"input_tokens":1,"output_tokens":1},"user_message_uuids":["{{id}}"]}""");
        Say("""{"type":"system","subtype":"session_state_changed","state":"idle"}""");
    }

    /// <summary>Through the broker, as the CLI would.</summary>
    private static long[] CallModel(Prompt prompt)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Environment.GetEnvironmentVariable("ANTHROPIC_UNIX_SOCKET")!)); // Every sandbox has it.
        return ModelCalls.Run(socket, "broker.invalid", Environment.GetEnvironmentVariable("ANTHROPIC_API_KEY")!, prompt.Calls, prompt.AreStreamed);
    }

    private static long Nanoseconds() => Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);

    private void SayDelta()
    {
        Say($$$"""{"type":"stream_event","uuid":"{{{Guid.CreateVersion7()}}}","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"{{{Nanoseconds()}}} {{{_padding}}}"} } }""");
    }

    private void SayMessage(string text) =>
        Say($$"""{"type":"assistant","uuid":"{{Guid.CreateVersion7()}}","message":{"role":"assistant","content":[{"type":"text","text":"{{text}}"}] } }""");

    private void Say(string line) => output.Write(Encoding.UTF8.GetBytes(line + "\n"));
}
