using Ash.Server.Configuration;
using Ash.Server.Runners;
using Ash.Server.Storage;
using Ash.Simulator;

namespace Ash.Server.Model;

/// <summary>The stand-in model of <c>ASH_MODEL=scripted</c>. It sits behind the broker exactly where the real API would.</summary>
internal sealed class ScriptedModel(ServerSettings settings, DataFolder data) : IHostedService, IAsyncDisposable
{
    private SimulatorHost? _host;

    /// <summary>A Unix socket that only this server's user reaches.</summary>
    public string SocketPath { get; } = Path.Combine(RunFolder.Of(data), "model.sock");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(SocketPath)!);
        _host = await SimulatorHost.StartAsync(new SimulatorOptions { ScriptFile = settings.ModelScript }, SocketPath, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_host is { } host)
        {
            _host = null;
            await host.DisposeAsync();
        }
    }
}
