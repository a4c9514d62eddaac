using Ash.Testing;

namespace Ash.EndToEnd.Tests.Fences;

/// <summary>All tests of the fences share a server, and run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class FenceTests : ICollectionFixture<FenceTests.Fixture>
{
    public const string Name = "fences";

    public sealed class Fixture : IAsyncLifetime
    {
        public AshServer Server { get; private set; } = null!; // Set before the first test.

        public async ValueTask InitializeAsync() => Server = await AshServer.StartAsync();

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
