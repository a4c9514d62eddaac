using Ash.Server.Tests.InMemory;
using Ash.Server.Tests.Storage;

namespace Ash.Server.Tests.Health;

[OnDatabase(TestDatabase.Sqlite)]
public sealed class ReadinessTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task FullDisk_IsNoticed_AndItsEndToo()
    {
        await using var server = await InMemoryServer.StartAsync();
        Assert.True((await server.Client.GetReadinessAsync()).Ready);

        server.Disk.IsFull = true;
        var readiness = await server.Client.GetReadinessAsync();
        Assert.False(readiness.Ready);
        Assert.Contains("is the disk full?", Assert.Single(readiness.Missing), StringComparison.Ordinal);

        server.Disk.IsFull = false;
        Assert.True((await server.Client.GetReadinessAsync()).Ready);
    }
}
