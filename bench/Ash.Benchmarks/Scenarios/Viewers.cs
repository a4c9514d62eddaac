using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Very many viewers of sessions in which nothing happens.</summary>
internal sealed class Viewers : IScenario
{
    private const int Sessions = 5;

    /// <summary>Each address has ports for so many connections to the server, and to spare.</summary>
    private const int ViewersPerAddress = 5000;

    /// <summary>A keep-alive comes every 15 seconds.</summary>
    private static readonly TimeSpan KeepAlives = TimeSpan.FromSeconds(20);

    public string Name => "viewers";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var count = effort.Times(10_000, least: 100);
        var minute = TimeSpan.FromSeconds(effort.Times(60, least: 20));
        await using var server = await BenchServer.StartAsync(("ASH_IDLE_TIMEOUT_MS", "0"));
        var files = (ulong)count + 5000;
        Machine.AllowOpenFiles(server.Server.Pid, files);
        Machine.AllowOpenFiles(Environment.ProcessId, files);
        var sessions = await server.CreateManyAsync(Sessions, atOnce: Sessions);
        await Task.WhenAll(sessions.Select(session => server.SendAsync(session, "NODELAY")));
        await Task.Delay(TimeSpan.FromSeconds(5));
        var alone = await MeasureCpuAsync(server, minute / 2);

        var viewers = new List<Socket>(count);
        try
        {
            for (var i = 0; i < count; i++)
            {
                viewers.Add(Follow(server, sessions[i % Sessions], i / ViewersPerAddress));
            }

            // All have had one: what the first costs is behind.
            await Task.Delay(KeepAlives);
            var before = viewers.Sum(viewer => (long)viewer.Available);
            var cpu = await MeasureCpuAsync(server, minute);
            var resident = Machine.MegabytesOf(server.Server.Pid, "status", "VmRSS");
            var proportional = Machine.MegabytesOf(server.Server.Pid, "smaps_rollup", "Pss");
            var alive = viewers.Count(viewer => viewer.Available > 0 && viewer.Connected);
            if (alive < count || viewers.Sum(viewer => (long)viewer.Available) <= before)
            {
                throw new InvalidOperationException($"Only {alive} of {count} viewers were kept alive.");
            }

            return
            [
                Figure.Single($"{count:N0} idle viewers, server RSS", "MB", resident) with { N = count, Target = 500 },
                Figure.Single("… PSS", "MB", proportional) with { N = count },
                Figure.Single("… server CPU, keep-alive ticks and all else", "% of a core", cpu) with
                {
                    N = count, Floor = alone, FloorIs = "no viewers", TargetOverFloor = 5,
                },
            ];
        }
        finally
        {
            viewers.ForEach(viewer => viewer.Dispose());
        }
    }

    /// <summary>Opens a stream and waits for the first bytes of its answer.</summary>
    private static Socket Follow(BenchServer server, Guid session, int address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 4096 };
        socket.Bind(new IPEndPoint(new IPAddress([127, 0, 0, (byte)(2 + address)]), 0));
        socket.Connect(IPAddress.Loopback, server.Server.Port);
        socket.Send(Encoding.ASCII.GetBytes(
            $"GET /api/sessions/{session}/stream?after=latest HTTP/1.1\r\nHost: {server.Server.Url.Authority}\r\nAuthorization: Bearer {server.Server.ApiKey}\r\n\r\n"));
        Span<byte> status = stackalloc byte[12];
        var read = socket.Receive(status);
        return status[..read].SequenceEqual("HTTP/1.1 200"u8)
            ? socket
            : throw new IOException($"A viewer was answered {Encoding.ASCII.GetString(status[..read])}");
    }

    private static async Task<double> MeasureCpuAsync(BenchServer server, TimeSpan time)
    {
        var cpu = Machine.CpuTimeOf(server.Server.Pid);
        await Task.Delay(time);
        return (Machine.CpuTimeOf(server.Server.Pid) - cpu) / time * 100;
    }
}
