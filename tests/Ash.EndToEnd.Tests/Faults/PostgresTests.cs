using Ash.Client;
using Ash.EndToEnd.Tests.StartUp;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>The published server on Postgres: what it promises about its own death holds there too.</summary>
public sealed class PostgresTests : IAsyncLifetime
{
    private const int Limit = 300_000;
    private PostgresCluster _cluster = null!; // Set before each test.

    public async ValueTask InitializeAsync() => _cluster = await PostgresCluster.StartAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task RunningTurn_OutlivesTheServer_AndItsViewerHasEveryByteOnce()
    {
        await using var server = await StartServerAsync();
        var struck = await StruckTurn.BeginAsync(server, Moment.WithinADelta);
        var cli = server.CliOf(struck.Session).Pid;
        var viewer = new Viewer(server, struck.Session, struck.Turn);
        var hasSeen = new TaskCompletionSource();
        var watching = viewer.WatchAsync(hasSeen.SetOnce);
        await hasSeen.Task;

        await server.KillAsync();
        Assert.False(await watching);
        await Assert.ThrowsAnyAsync<AshException>(() => struck.Sending);
        await server.StartAgainAsync();
        await struck.ReleaseAsync(server);
        while (!await viewer.WatchAsync())
        {
            // As a client does: again from the last id.
        }

        Assert.Equal("completed", (await server.WaitForTurnAsync(struck.Session, struck.Turn)).Reason);
        Assert.Equal(cli, server.CliOf(struck.Session).Pid);
        var uncut = new Viewer(server, struck.Session, struck.Turn);
        Assert.True(await uncut.WatchAsync());
        Assert.Equal(uncut.Text, viewer.Text);
        Assert.Equal(uncut.Ids.Distinct(), viewer.Ids);
        await struck.AssertConversationIsIntactAsync(server);

        Assert.Contains($"Database: postgres://ash@127.0.0.1:{_cluster.Port}/postgres", server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("ash:ash", server.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(server.DataDirectory, "ash.db")));
    }

    [Fact(Timeout = Limit)]
    public async Task WrongPassword_IsNamed_AndNotShown()
    {
        using var folder = new TemporaryFolder();
        var run = await ServerRun.RunAsync(
            ServerRun.Settings(("ASH_DATABASE_URL", $"postgres://ash:mistaken@127.0.0.1:{_cluster.Port}/postgres")),
            "--data-dir", folder["data"], "--port", $"{AshServer.FreePort()}");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(
            $"cannot start: the database postgres://ash@127.0.0.1:{_cluster.Port}/postgres: it does not take the password of user ash; correct the one in ASH_DATABASE_URL",
            run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("mistaken", run.Error + run.Out, StringComparison.Ordinal);
    }

    private Task<AshServer> StartServerAsync() => AshServer.StartAsync(new AshServerOptions
    {
        Environment = new Dictionary<string, string?> { ["ASH_DATABASE_URL"] = _cluster.UrlOf("postgres") },
    });
}
