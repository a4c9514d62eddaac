using System.Threading.Channels;
using Ash.Runner.Bridges;
using Ash.Runner.Sandboxes;

namespace Ash.Server.Tests.InMemory;

/// <summary>A sandbox of <see cref="ScriptedSandboxHost"/>.</summary>
internal sealed class ScriptedSandbox(SandboxIdentity identity, ScriptedSandboxHost host) : ISandbox
{
    private readonly Channel<IBridgeConnection> _connections = Channel.CreateUnbounded<IBridgeConnection>();
    private readonly TaskCompletionSource<SandboxExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ScriptedBridge _bridge = new(host);

    public SandboxIdentity Identity => identity;

    public ChannelReader<IBridgeConnection> Connections => _connections.Reader;

    public Task<SandboxExit> Exited => _exited.Task;

    public void Dial() => _connections.Writer.TryWrite(_bridge);

    /// <summary>The processes end by themselves.</summary>
    public async Task DieAsync()
    {
        await _bridge.DisposeAsync();
        _exited.TrySetResult(SandboxExit.Ended);
    }

    public async Task KillAsync()
    {
        await _bridge.DisposeAsync();
        host.Forget(identity.Id);
        _connections.Writer.TryComplete();
        _exited.TrySetResult(SandboxExit.Ended);
    }

    public ValueTask DisposeAsync() => _bridge.DisposeAsync();
}
