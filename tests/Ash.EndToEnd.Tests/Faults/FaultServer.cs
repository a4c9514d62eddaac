using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>A server that a class of tests shares.</summary>
public sealed class FaultServer : IAsyncLifetime
{
    public AshServer Server { get; private set; } = null!; // Set before the first test.

    public async ValueTask InitializeAsync() => Server = await AshServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
