using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Ash.StandIn;

/// <summary>Small calls of the model on one connection, each of them timed: the same through the broker and without it.</summary>
internal static class ModelCalls
{
    /// <summary>Calls so often, one after another.</summary>
    /// <returns>Nanoseconds of each, from before the request to the last byte of the answer.</returns>
    public static long[] Run(Socket connected, string host, string key, int count, bool isStreamed)
    {
        var body = $$"""{"model":"claude-sonnet-5","max_tokens":16,"stream":{{(isStreamed ? "true" : "false")}},"messages":[{"role":"user","content":"hi"}]}""";
        var request = Encoding.UTF8.GetBytes(
            $"POST /v1/messages HTTP/1.1\r\nHost: {host}\r\nx-api-key: {key}\r\nanthropic-version: 2023-06-01\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        var exchange = new HttpExchange(connected);
        var times = new long[count];
        for (var i = 0; i < count; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            exchange.Send(request);
            times[i] = (Stopwatch.GetTimestamp() - begun) * (1_000_000_000 / Stopwatch.Frequency);
        }

        return times;
    }
}
