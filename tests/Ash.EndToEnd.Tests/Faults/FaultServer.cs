using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>A server that a class of tests shares.</summary>
public sealed class FaultServer : IAsyncLifetime
{
    public AshServer Server { get; private set; } = null!; // Set before the first test.

    /// <remarks>It says in its log what nobody else is told: see <see cref="Sandboxes.WaitForIdleCliAsync"/>.</remarks>
    public async ValueTask InitializeAsync() => Server = await AshServer.StartAsync(new AshServerOptions
    {
        Environment = new Dictionary<string, string?> { ["Logging__LogLevel__Ash.Server.Sessions"] = "Debug" },
    });

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
