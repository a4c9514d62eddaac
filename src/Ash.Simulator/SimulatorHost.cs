using System.Net;
using System.Net.Sockets;
using Ash.Simulator.Requests;
using Ash.Simulator.Scripts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Ash.Simulator;

/// <summary>A scripted model that listens on an address of its own; for tests, benchmarks and <c>ash-server simulate</c>.</summary>
/// <remarks>Disposal breaks off what still runs and removes the socket file.</remarks>
public sealed class SimulatorHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SimulatorHost(WebApplication app, ModelSimulator simulator, Uri baseAddress, string? socketPath)
    {
        _app = app;
        Simulator = simulator;
        BaseAddress = baseAddress;
        SocketPath = socketPath;
    }

    /// <summary>Where clients send their requests; with a Unix socket alone, a name that nobody looks up.</summary>
    public Uri BaseAddress { get; }

    /// <summary>The Unix socket that it listens on, if it does.</summary>
    public string? SocketPath { get; }

    public ModelSimulator Simulator { get; }

    /// <inheritdoc cref="ModelSimulator.Requests"/>
    public IReadOnlyList<RecordedRequest> Requests => Simulator.Requests;

    /// <summary>Starts on a free port of the loopback address.</summary>
    public static Task<SimulatorHost> StartAsync(SimulatorOptions options, CancellationToken cancellationToken) =>
        StartAsync(options, new IPEndPoint(IPAddress.Loopback, 0), cancellationToken);

    /// <summary>Starts on an address; port 0 takes a free one.</summary>
    /// <exception cref="IOException">The address is in use.</exception>
    public static Task<SimulatorHost> StartAsync(SimulatorOptions options, IPEndPoint endpoint, CancellationToken cancellationToken) =>
        StartAsync(options, endpoint, socketPath: null, cancellationToken);

    /// <summary>Starts on a Unix socket. A socket file that nobody listens on is replaced.</summary>
    /// <exception cref="IOException">Somebody listens there, or the path is not a socket's.</exception>
    public static Task<SimulatorHost> StartAsync(SimulatorOptions options, string socketPath, CancellationToken cancellationToken) =>
        StartAsync(options, endpoint: null, socketPath, cancellationToken);

    /// <inheritdoc cref="ModelSimulator.WaitForRequestAsync"/>
    public Task<RecordedRequest> WaitForRequestAsync(Func<RecordedRequest, bool> fits, CancellationToken cancellationToken) =>
        Simulator.WaitForRequestAsync(fits, cancellationToken);

    /// <inheritdoc cref="ModelSimulator.SetScript(string)"/>
    public void SetScript(string json) => Simulator.SetScript(json);

    /// <inheritdoc cref="ModelSimulator.SetScript(string)"/>
    public void SetScript(Script script) => Simulator.SetScript(script);

    /// <inheritdoc cref="ModelSimulator.Queue(ReadOnlySpan{ScriptStep})"/>
    public void Queue(params ReadOnlySpan<ScriptStep> steps) => Simulator.Queue(steps);

    /// <inheritdoc cref="ModelSimulator.Queue(string)"/>
    public void Queue(string json) => Simulator.Queue(json);

    /// <inheritdoc cref="ModelSimulator.Release"/>
    public int Release(string gate) => Simulator.Release(gate);

    /// <inheritdoc cref="ModelSimulator.WaitUntilHeldAsync"/>
    public Task WaitUntilHeldAsync(string gate, CancellationToken cancellationToken) => Simulator.WaitUntilHeldAsync(gate, cancellationToken);

    /// <inheritdoc cref="ModelSimulator.Reset"/>
    public void Reset() => Simulator.Reset();

    /// <summary>A client of this host, over whatever it listens on. The caller disposes it.</summary>
    public HttpClient CreateClient()
    {
        var handler = new SocketsHttpHandler { UseProxy = false };

        if (SocketPath is { } path)
        {
            handler.ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            };
        }

        return new(handler) { BaseAddress = BaseAddress, Timeout = Timeout.InfiniteTimeSpan };
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();

        if (SocketPath is { } path)
        {
            File.Delete(path);
        }
    }

    internal static async Task<SimulatorHost> StartAsync(
        SimulatorOptions options, IPEndPoint? endpoint, string? socketPath, CancellationToken cancellationToken)
    {
        var simulator = new ModelSimulator(options);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSimulator(simulator);
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, endpoint, socketPath));

        if (socketPath is not null)
        {
            SocketFile.Clear(socketPath);
        }

        var app = builder.Build();
        app.UseRouting();
        app.MapMessagesApi();
        app.MapSimulatorControl();
        app.MapOtherPaths();

        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new(app, simulator, endpoint is null ? new("http://model.invalid") : AddressOf(app), socketPath);
    }

    private static void Listen(KestrelServerOptions kestrel, IPEndPoint? endpoint, string? socketPath)
    {
        kestrel.AddServerHeader = false;
        // Slow is what a script may want to be.
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MinRequestBodyDataRate = null;

        if (endpoint is not null)
        {
            kestrel.Listen(endpoint);
        }

        if (socketPath is not null)
        {
            kestrel.ListenUnixSocket(socketPath);
        }
    }

    private static Uri AddressOf(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()! // Kestrel sets it
            .Addresses.First(address => !address.Contains("unix:", StringComparison.Ordinal)));
}
