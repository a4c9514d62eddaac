using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ash.Contract.Tests.Fuzz;

/// <summary>Requests that no HTTP client would send, each on a connection of its own.</summary>
internal static class RawRequests
{
    /// <summary>Sends one and reads until the server has nothing more to say.</summary>
    /// <returns>The status; null where the connection was closed without an answer.</returns>
    public static async Task<(string Request, int? Status)> SendAsync(Random random, int port, string key, string session, CancellationToken cancellationToken)
    {
        var request = Make(random, key, session);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        try
        {
            await socket.SendAsync(Encoding.Latin1.GetBytes(request), cancellationToken);
            socket.Shutdown(SocketShutdown.Send);
            var answer = new StringBuilder();
            var buffer = new byte[16 * 1024];
            int read;
            while ((read = await socket.ReceiveAsync(buffer, cancellationToken)) > 0)
            {
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }

            return (request, answer.Length == 0 ? null : int.Parse(answer.ToString().Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
        }
        catch (SocketException)
        {
            // Reset: it is the server's right to end such a connection so.
            return (request, null);
        }
    }

    private static string Make(Random random, string key, string session)
    {
        var head = $"Host: ash\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n";
        var post = $"POST /api/sessions/{session}/exec HTTP/1.1\r\n{head}";
        const string Body = """{"command":"true"}""";
        return random.Next(22) switch
        {
            0 => $"{post}Content-Length: 1000\r\n\r\n{Body}",
            1 => $"{post}Content-Length: 5\r\n\r\n{Body}",
            2 => $"{post}Content-Length: -1\r\n\r\n{Body}",
            3 => $"{post}Content-Length: 99999999999999999999\r\n\r\n{Body}",
            4 => $"{post}Content-Length: 18\r\nContent-Length: 19\r\n\r\n{Body}",
            5 => $"{post}Content-Length: 18\r\nTransfer-Encoding: chunked\r\n\r\n{Body}",
            6 => $"{post}Transfer-Encoding: chunked\r\n\r\n12\r\n{Body}",
            7 => $"{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{Body}\r\n0\r\n\r\n",
            8 => $"{post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{Body}",
            9 => $"{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            10 => $"{post}X-Big: {new string('x', 40_000)}\r\nContent-Length: 18\r\n\r\n{Body}",
            11 => $"{post}{string.Concat(Enumerable.Range(0, 200).Select(i => $"X-{i}: 1\r\n"))}Content-Length: 18\r\n\r\n{Body}",
            12 => $"GET /{new string('a', 20_000)} HTTP/1.1\r\n{head}\r\n",
            13 => $"GET /api/agents/\u00ff\u00fe HTTP/1.1\r\n{head}\r\n",
            14 => $"GET /api/agents HTTP/9.9\r\n{head}\r\n",
            15 => $"GET http://evil.example/api/agents HTTP/1.1\r\n{head}\r\n",
            16 => $"GET /api/agents HTTP/1.1\r\nAuthorization: Bearer {key}\r\n\r\n",
            17 => $"GET /api/agents HTTP/1.1\r\n{head}X bad: 1\r\nNoColon\r\n\r\n",
            18 => $"GET /api/agents HTTP/1.1\r\nHost: ash\r\nAuthorization: Bearer {key}\u0001\r\n\r\n",
            19 => $"POST /api/sessions/{session}/workspace HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n20\r\n{{\"bundle\":\"H4sIAAAAAAAA",
            20 => $"POST /api/sessions/{session}/files HTTP/1.1\r\n{head}Content-Length: 500\r\n\r\n{{\"files\":[{{\"path\":\"a\",\"content\":\"",
            _ => new string([.. Enumerable.Range(0, random.Next(1, 400)).Select(_ => (char)random.Next(256))]),
        };
    }
}
