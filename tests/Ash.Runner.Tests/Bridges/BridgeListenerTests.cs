using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Ash.Protocol.Bridge;
using Ash.Runner.Bridges;
using Ash.Runner.Kernel;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ash.Runner.Tests.Bridges;

/// <summary>The test is the bridge here, and not always an honest one.</summary>
public sealed class BridgeListenerTests : IAsyncLifetime
{
    private const string Hello = """{"type":"hello","protocol":1,"oldest":1,"head":0,"process":0,"cli_pid":0}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("ash-bl-").FullName;
    private BridgeListener _listener = null!; // Set before each test.

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string SocketPath => Path.Combine(_folder, "host.sock");

    public ValueTask InitializeAsync()
    {
        _listener = new BridgeListener(
            "test", SocketPath, uid: null, static () => Environment.ProcessId, TimeProvider.System, NullLogger.Instance);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Frames_ArriveInOrder_AfterTheWelcome()
    {
        using var bridge = await DialAsync(Hello);
        await using var connection = await _listener.Connections.ReadAsync(Cancellation);
        await connection.SendAsync(new Welcome(0), default, Cancellation);
        await SendAsync(bridge, """{"type":"line","n":1,"process":1,"bytes":5}""" + "\nhello" + """{"type":"cli_exited","n":2,"process":1,"code":0}""" + "\n");
        bridge.Shutdown(SocketShutdown.Send);

        var frames = await RunAsync(connection);

        Assert.Equal(["CliLine 1 hello", "CliExited 2 "], frames);
        Assert.Equal("""{"type":"welcome","acknowledged":0}""" + "\n", await ReadAllAsync(bridge));
    }

    [Fact]
    public async Task APayloadOfTheGreatestSize_Passes()
    {
        using var bridge = await DialAsync(Hello);
        await using var connection = await _listener.Connections.ReadAsync(Cancellation);
        await connection.SendAsync(new Welcome(41), default, Cancellation);
        var payload = new byte[BridgeProtocol.MaxLineBytes];
        Random.Shared.NextBytes(payload);
        var sending = Task.Run(
            async () =>
            {
                await SendAsync(bridge, $$"""{"type":"line","n":42,"process":1,"bytes":{{payload.Length}}}""" + "\n");
                await new NetworkStream(bridge).WriteAsync(payload, Cancellation);
                bridge.Shutdown(SocketShutdown.Send);
            },
            Cancellation);
        var collector = new Collector(keepPayloads: true);

        await connection.RunAsync(collector, Cancellation);

        await sending;
        Assert.Equal(payload, Assert.Single(collector.Payloads));
    }

    [Theory]
    [InlineData("not json\n")]
    [InlineData("{\"type\":\"unknown\",\"n\":1}\n")]
    [InlineData("{\"type\":\"line\",\"n\":2,\"process\":1,\"bytes\":0}\n")]
    [InlineData("{\"type\":\"line\",\"n\":0,\"process\":1,\"bytes\":0}\n")]
    [InlineData("{\"type\":\"line\",\"n\":1,\"process\":1,\"bytes\":-1}\n")]
    [InlineData("{\"type\":\"line\",\"n\":1,\"process\":1,\"bytes\":2147483647}\n")]
    [InlineData("{\"type\":\"line\",\"n\":1,\"process\":1,\"bytes\":99999999999}\n")]
    [InlineData("null\n")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n")]
    [InlineData(Hello + "\n")]
    [InlineData("\n")]
    [InlineData("\u0000\ufffd\n")]
    public async Task AFrameThatBreaksTheProtocol_ClosesTheConnection_AndReachesNobody(string frame)
    {
        using var bridge = await DialAsync(Hello);
        await using var connection = await _listener.Connections.ReadAsync(Cancellation);
        await connection.SendAsync(new Welcome(0), default, Cancellation);
        await SendAsync(bridge, frame);

        Assert.Empty(await RunAsync(connection));

        await ReadAllAsync(bridge);
        await Assert.ThrowsAsync<IOException>(() => connection.SendAsync(new Acknowledge(1), default, Cancellation).AsTask());
        using var again = await DialAsync(Hello);
        await using var next = await _listener.Connections.ReadAsync(Cancellation);
    }

    [Fact]
    public async Task AHeaderWithoutEnd_ClosesTheConnection_WithBoundedMemory()
    {
        using var bridge = await DialAsync(Hello);
        await using var connection = await _listener.Connections.ReadAsync(Cancellation);
        await connection.SendAsync(new Welcome(0), default, Cancellation);
        var running = RunAsync(connection);

        var flood = new byte[BridgeProtocol.MaxHeaderBytes];
        Array.Fill(flood, (byte)'x');
        var failure = await Record.ExceptionAsync(async () =>
        {
            while (true)
            {
                await new NetworkStream(bridge).WriteAsync(flood, Cancellation);
            }
        });

        Assert.IsType<IOException>(failure);
        Assert.Empty(await running);
    }

    [Theory]
    [InlineData("""{"type":"hello","protocol":2,"oldest":1,"head":0,"process":0,"cli_pid":0}""")]
    [InlineData("""{"type":"hello","protocol":1,"oldest":9,"head":0,"process":0,"cli_pid":0}""")]
    [InlineData("""{"type":"hello","protocol":1,"oldest":1,"head":-5,"process":0,"cli_pid":0}""")]
    [InlineData("""{"type":"cli_started","n":1,"process":1,"pid":5}""")]
    public async Task AnythingButAGoodHello_IsClosed(string first)
    {
        using var bridge = await DialAsync(first);

        await ReadAllAsync(bridge);

        Assert.False(_listener.Connections.TryRead(out _));
    }

    [Fact]
    public async Task TheNewestConnection_Wins()
    {
        using var silent = await DialAsync(hello: null);
        using var older = await DialAsync(Hello);
        await using var first = await _listener.Connections.ReadAsync(Cancellation);

        using var newer = await DialAsync(Hello);
        await using var second = await _listener.Connections.ReadAsync(Cancellation);

        await ReadAllAsync(silent);
        await ReadAllAsync(older);
        await Assert.ThrowsAsync<IOException>(() => first.SendAsync(new Welcome(0), default, Cancellation).AsTask());
        await second.SendAsync(new Welcome(0), default, Cancellation);
    }

    [Fact]
    public async Task AProcessThatIsNotTheBridge_IsClosedAtOnce()
    {
        await using var strict = new BridgeListener(
            "test", Path.Combine(_folder, "strict.sock"), uid: null, static () => 1, TimeProvider.System, NullLogger.Instance);

        using var stranger = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await stranger.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_folder, "strict.sock")), Cancellation);

        await ReadAllAsync(stranger);
        Assert.False(strict.Connections.TryRead(out _));
    }

    [Fact]
    public async Task AFloodOfStrangers_DoesNotKeepTheBridgeOut()
    {
        int? bridgePid = null;
        var path = Path.Combine(_folder, "flooded.sock");
        await using var flooded = new BridgeListener("test", path, uid: null, () => bridgePid, TimeProvider.System, NullLogger.Instance);
        for (var i = 0; i < 120; i++)
        {
            using var stranger = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await stranger.ConnectAsync(new UnixDomainSocketEndPoint(path), Cancellation);
            await ReadAllAsync(stranger);
        }

        bridgePid = Environment.ProcessId;
        using var bridge = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await bridge.ConnectAsync(new UnixDomainSocketEndPoint(path), Cancellation);
        await SendAsync(bridge, Hello + "\n");

        Assert.NotNull(await flooded.Connections.ReadAsync(Cancellation));
    }

    [Fact]
    public async Task ACancelledSend_ToABridgeThatDoesNotRead_ClosesTheConnection()
    {
        using var bridge = await DialAsync(Hello);
        await using var connection = await _listener.Connections.ReadAsync(Cancellation);
        await connection.SendAsync(new Welcome(0), default, Cancellation);
        using var giveUp = new CancellationTokenSource();
        var large = new byte[8 << 20];
        var sending = connection.SendAsync(new WriteLine("a", large.Length), large, giveUp.Token).AsTask();
        Assert.False(sending.IsCompleted);

        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        await Assert.ThrowsAsync<IOException>(() => connection.SendAsync(new Acknowledge(1), default, Cancellation).AsTask());
    }

    [Fact]
    public async Task TheFirstFrame_MustBeAWelcome()
    {
        using var bridge = await DialAsync(Hello);
        await using var connection = await _listener.Connections.ReadAsync(Cancellation);

        await Assert.ThrowsAsync<InvalidOperationException>(() => connection.SendAsync(new Acknowledge(1), default, Cancellation).AsTask());
    }

    [Fact]
    public async Task ManySenders_NeverMixTheirFrames()
    {
        using var bridge = await DialAsync(Hello);
        await using var connection = await _listener.Connections.ReadAsync(Cancellation);
        await connection.SendAsync(new Welcome(0), default, Cancellation);
        var reading = ReadAllAsync(bridge);

        await Parallel.ForAsync(0, 200, Cancellation, async (i, token) =>
        {
            var payload = Encoding.ASCII.GetBytes(new string((char)('a' + (i % 26)), 1 + (i * 97)));
            await connection.SendAsync(new WriteLine($"{i}", payload.Length), payload, token);
        });
        await connection.DisposeAsync();

        var text = new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(await reading));
        var ids = new HashSet<string>();
        while (FrameFormat.TryRead(ref text, out BridgeCommand command, out var payload))
        {
            if (command is WriteLine line)
            {
                Assert.Single(payload.ToArray().Distinct());
                Assert.True(ids.Add(line.Id));
            }
        }

        Assert.Equal(200, ids.Count);
        Assert.True(text.IsEmpty);
    }

    [Fact]
    public void TheSocket_IsItsOwnersAlone()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
        Assert.Equal(FileKind.Other, FileKinds.Of(SocketPath));
    }

    private static async Task<List<string>> RunAsync(IBridgeConnection connection)
    {
        var collector = new Collector(keepPayloads: true);
        await connection.RunAsync(collector, Cancellation);
        return [.. collector.Headers.Zip(collector.Payloads, (header, payload) =>
            $"{header.GetType().Name} {header.Number} {Encoding.UTF8.GetString(payload)}")];
    }

    private static async Task SendAsync(Socket socket, string text) =>
        await new NetworkStream(socket).WriteAsync(Encoding.UTF8.GetBytes(text), Cancellation);

    /// <summary>Reads until the other side has closed.</summary>
    private static async Task<string> ReadAllAsync(Socket socket)
    {
        var received = new MemoryStream();
        var buffer = new byte[65536];
        try
        {
            while (await socket.ReceiveAsync(buffer, Cancellation) is var count and > 0)
            {
                received.Write(buffer, 0, count);
            }
        }
        catch (SocketException)
        {
            // Closed with something of ours unread.
        }

        return Encoding.UTF8.GetString(received.ToArray());
    }

    private async Task<Socket> DialAsync(string? hello)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), Cancellation);
        if (hello is not null)
        {
            await SendAsync(socket, hello + "\n");
        }

        return socket;
    }

    private sealed class Collector(bool keepPayloads) : IBridgeFrameHandler
    {
        public List<BridgeEvent> Headers { get; } = [];

        public List<byte[]> Payloads { get; } = [];

        public void OnFrame(BridgeEvent header, in ReadOnlySequence<byte> payload)
        {
            Headers.Add(header);
            Payloads.Add(keepPayloads ? payload.ToArray() : []);
        }

        public ValueTask OnBatchAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
