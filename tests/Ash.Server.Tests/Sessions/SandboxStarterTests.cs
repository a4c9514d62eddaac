using Ash.Server.Sessions;
using Ash.Server.Tests.InMemory;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Sessions;

public sealed class SandboxStarterTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task RowThatNamesProcesses_IsForgotten_OnlyOnceTheyHaveEnded()
    {
        await using var server = await InMemoryServer.StartAsync();
        await server.CreateSessionAsync();
        var live = Assert.Single(server.Host.Live);
        await using var db = await server.ReadStoreAsync();
        var row = await db.Sandboxes.SingleAsync(TestContext.Current.CancellationToken);

        await server.Get<SandboxStarter>().DiscardAsync(row, TestContext.Current.CancellationToken);

        Assert.Equal(live.Identity.Id, row.Id);
        Assert.Empty(server.Host.Live);
        Assert.Empty(await db.Sandboxes.AsNoTracking().ToListAsync(TestContext.Current.CancellationToken));
    }
}
