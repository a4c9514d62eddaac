using System.Net;
using Ash.Client;
using Ash.EndToEnd.Tests.StartUp;
using Ash.Protocol.Api;
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
        await ServerDeath.LiveThroughAsync(server, Moment.WithinADelta);

        Assert.Contains($"Database: postgres://ash@127.0.0.1:{_cluster.Port}/postgres", server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("ash:ash", server.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(server.DataDirectory, "ash.db")));
    }

    [Fact(Timeout = Limit)]
    public async Task DatabaseThatCrashed_IsConnectedToAgain_AndTheConversationGoesOn()
    {
        await using var server = await StartServerAsync();
        var session = await server.CreateSessionAsync();
        await server.SendAsync(session.Id, "before");
        var cli = server.CliOf(session.Id).Pid;

        // One process of it that dies takes all connections along.
        ProcessSignals.Send(_cluster.ConnectionPids()[0], ProcessSignals.Kill);
        TurnInfo? turn = null;
        while (turn is null)
        {
            try
            {
                turn = await server.SendAsync(session.Id, "after");
            }
            catch (AshApiException refusal) when (refusal.Code == "store_unavailable")
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            }
        }

        Assert.Equal(("completed", "[Resumed session] Turn 2 | History: before | after"), (turn.Reason, turn.Result));
        Assert.Equal(cli, server.CliOf(session.Id).Pid);
        using var ready = await server.Http.GetAsync("/health/ready", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
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
