using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>One server for all tests of the contract: none of them does anything to it that another could see.</summary>
public sealed class ApiServer : IAsyncLifetime
{
    public AshServer Server { get; private set; } = null!; // Set before the first test.

    /// <summary>A session for requests that are refused.</summary>
    public Guid Session { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Server = await AshServer.StartAsync();
        Session = (await Server.CreateSessionAsync()).Id;
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>The tests of the contract, one after the other.</summary>
[CollectionDefinition]
public sealed class ApiTests : ICollectionFixture<ApiServer>;
