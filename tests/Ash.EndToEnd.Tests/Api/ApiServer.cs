using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>One server for all tests of the contract: none of them does anything to it that another could see.</summary>
public sealed class ApiServer : IAsyncLifetime
{
    public AshServer Server { get; private set; } = null!; // Set before the first test.

    public async ValueTask InitializeAsync() => Server = await AshServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>The tests of the contract, one after the other.</summary>
[CollectionDefinition]
public sealed class ApiTests : ICollectionFixture<ApiServer>;
