using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace Ash.Server.Tests.Broker;

public sealed class BrokerSocketsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Socket_BelongsToTheSandboxsUser_Alone()
    {
        await using var server = await BrokerServer.StartAsync();
        var path = Path.Combine(server.Folder, "owned.sock");
        var uid = Environment.IsPrivilegedProcess
            ? 1_900_000_000
            : int.Parse(Stat(server.Folder, "%u"), System.Globalization.CultureInfo.InvariantCulture);

        using var socket = server.Sockets.Open("owned", path, uid);

        Assert.Equal($"600 {uid}", Stat(path, "%a %u"));
    }

    [Fact]
    public async Task StaleSocket_IsReplaced()
    {
        await using var server = await BrokerServer.StartAsync();
        var path = Path.Combine(server.Folder, "stale.sock");
        using (var stale = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            stale.Bind(new UnixDomainSocketEndPoint(path));
        }

        await File.WriteAllTextAsync(path, "left by a killed server", Cancelled);
        using var socket = server.Sockets.Open("again", path, 0);

        Assert.True((await server.Inside(socket).GetAsync("/", Cancelled)).IsSuccessStatusCode);
    }

    [Fact]
    public async Task ReopenedSocket_ReplacesTheEarlierOne()
    {
        await using var server = await BrokerServer.StartAsync();

        using var again = server.Open(BrokerServer.Sandbox);
        server.Socket.Dispose();

        Assert.True((await server.Inside(again).GetAsync("/", Cancelled)).IsSuccessStatusCode);
    }

    [Fact]
    public async Task LongPath_IsRefused()
    {
        await using var server = await BrokerServer.StartAsync();

        Assert.Throws<ArgumentException>(() => server.Sockets.Open("long", $"/tmp/{new string('x', 100)}", 0));
    }

    [Fact]
    public async Task MissingFolder_IsAnErrorThatNamesIt()
    {
        await using var server = await BrokerServer.StartAsync();

        var failure = Assert.Throws<IOException>(() => server.Sockets.Open("missing", "/nonexistent/b.sock", 0));

        Assert.Contains("/nonexistent/b.sock", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Removal_CutsCallsInProgress_AndRemovesTheFile()
    {
        await using var server = await BrokerServer.StartAsync();
        var stopped = new TaskCompletionSource();
        server.Upstream.Script(async context =>
        {
            await context.Response.WriteAsync("data: 1\n\n");
            await context.Response.Body.FlushAsync();
            context.RequestAborted.Register(stopped.SetResult);
            await stopped.Task;
        });
        var answer = await server.Inside().SendAsync(BrokerServer.Call(), HttpCompletionOption.ResponseHeadersRead, Cancelled);

        server.Socket.Dispose();

        await Assert.ThrowsAsync<HttpRequestException>(() => answer.Content.ReadAsStringAsync(Cancelled));
        await stopped.Task.WaitAsync(Cancelled);
        Assert.False(File.Exists(server.Socket.Path));
        Assert.False((await server.Authority.NextCallAsync(Cancelled)).IsComplete);
    }

    [Fact]
    public async Task Stop_DoesNotWaitForCalls()
    {
        await using var server = await BrokerServer.StartAsync();
        server.Upstream.Script(async context =>
        {
            await context.Response.WriteAsync("data: 1\n\n");
            await context.Response.Body.FlushAsync();
            var gone = new TaskCompletionSource();
            context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
        });
        var answer = await server.Inside().SendAsync(BrokerServer.Call(), HttpCompletionOption.ResponseHeadersRead, Cancelled);

        await server.StopAsync(Cancelled).WaitAsync(TimeSpan.FromSeconds(10), Cancelled);

        await Assert.ThrowsAsync<HttpRequestException>(() => answer.Content.ReadAsStringAsync(Cancelled));
        Assert.False(File.Exists(server.Socket.Path));
        Assert.Throws<ObjectDisposedException>(() => server.Open("late"));
    }

    [Fact]
    public async Task TwoHundredConnections_AreAllServed_WhenTheyComeAtOnce()
    {
        await using var server = await BrokerServer.StartAsync(
            options => (options.MaxConnections, options.RequestBurst) = (200, 200));

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => server.Inside().SendAsync(BrokerServer.Call(), Cancelled)));

        Assert.All(answers, answer => Assert.True(answer.IsSuccessStatusCode));
        Assert.Equal(200, server.Upstream.Requests.Count);
    }

    [Fact]
    public async Task ConnectionBeyondTheLimit_IsClosedAtOnce_AndOthersLiveOn()
    {
        await using var server = await BrokerServer.StartAsync(options => options.MaxConnections = 2);
        var first = server.Inside();
        var second = server.Inside();
        Assert.True((await first.GetAsync("/", Cancelled)).IsSuccessStatusCode);
        Assert.True((await second.GetAsync("/", Cancelled)).IsSuccessStatusCode);

        using var third = await BrokerServer.ConnectAsync(server.Socket.Path, Cancelled);
        Assert.Equal(0, await third.ReceiveAsync(new byte[1], Cancelled));

        Assert.True((await first.GetAsync("/", Cancelled)).IsSuccessStatusCode);
    }

    [Fact]
    public async Task ClosedConnection_MakesRoomForAnother()
    {
        await using var server = await BrokerServer.StartAsync(
            options => (options.MaxConnections, options.ConnectionBurst) = (1, 100_000));
        var first = server.Inside();
        Assert.True((await first.GetAsync("/", Cancelled)).IsSuccessStatusCode);

        first.Dispose();

        await ServedAgainAsync(server);
    }

    [Fact]
    public async Task SandboxThatConnectsInALoop_IsSlowedDown()
    {
        await using var server = await BrokerServer.StartAsync(
            options => (options.ConnectionBurst, options.ConnectionsPerSecond) = (3, 10));

        for (var i = 0; i < 3; i++)
        {
            await server.ExchangeAsync("GET /x HTTP/1.1\r\nHost: a\r\n\r\n", Cancelled);
        }

        var fourth = server.ExchangeAsync("GET /x HTTP/1.1\r\nHost: a\r\n\r\n", Cancelled);
        var wait = await server.Clock.NextWaitAsync(Cancelled);
        Assert.Equal(TimeSpan.FromMilliseconds(100), wait);
        Assert.False(fourth.IsCompleted);

        server.Clock.Advance(wait);
        Assert.StartsWith("HTTP/1.1 404 ", await fourth, StringComparison.Ordinal);
    }

    /// <summary>Connects until the server has let go of the connection before.</summary>
    private static async Task ServedAgainAsync(BrokerServer server)
    {
        while (true)
        {
            using var socket = await BrokerServer.ConnectAsync(server.Socket.Path, Cancelled);
            await using var stream = new NetworkStream(socket);

            try
            {
                await stream.WriteAsync("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8.ToArray(), Cancelled);

                if (await stream.ReadAsync(new byte[1], Cancelled) == 1)
                {
                    return;
                }
            }
            catch (IOException)
            {
                // Closed before it was written to.
            }
        }
    }

    private static string Stat(string path, string format)
    {
        using var stat = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("stat", ["-c", format, path]) { RedirectStandardOutput = true })!;
        return stat.StandardOutput.ReadToEnd().Trim();
    }
}
