using System.Globalization;
using Ash.Protocol.Api;
using Ash.Testing;
using Microsoft.Data.Sqlite;

namespace Ash.EndToEnd.Tests.Leaks;

/// <summary>Sessions that are created, used and purged leave nothing: not on the machine, not in the server.</summary>
public sealed class LeakTests(ITestOutputHelper output)
{
    private const long MaxHeapGrowth = 1024 * 1024;
    private const long MaxResidentGrowth = 20 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("ASH_TEST_LONG") is { Length: > 0 };

    /// <summary>Half of them find out what a server keeps for good; the other half must add nothing to it.</summary>
    private static readonly int Half = IsLong ? 100 : 20;

    [Fact(Timeout = 60 * 60_000)]
    public async Task PurgedSessions_LeaveNothing_AndTheServerDoesNotGrow()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var server = await AshServer.StartAsync();
        await server.Client.Agents.DeployAsync(
            new DeployAgentRequest { Name = "leaves-nothing", Files = [new AgentFile("CLAUDE.md", Convert.ToBase64String("Be brief."u8))] },
            cancellationToken);
        await UseSessionAsync(server);
        var before = await RemainsOnceQuietAsync(server, FoldersOf(server), cancellationToken);

        await UseSessionsAsync(server, Half - 1);
        await RemainsOnceQuietAsync(server, before, cancellationToken);
        var half = await MeasureAsync(server, $"after {Half}", cancellationToken);

        await UseSessionsAsync(server, Half);
        var remains = await RemainsOnceQuietAsync(server, before, cancellationToken);
        var whole = await MeasureAsync(server, $"after {Half * 2}", cancellationToken);

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"growth over the last {Half} of {Half * 2}: heap {(whole.HeapBytes - half.HeapBytes) / 1024.0:0} KB, RSS {(whole.ResidentBytes - half.ResidentBytes) / 1048576.0:0.0} MB"));
        output.WriteLine(server.Output);
        Assert.Empty(server.Processes());
        Assert.Equal(before, remains);
        Assert.Empty(StoredRows(server));
        Assert.All(whole.Descriptors, open => Assert.InRange(open.Value, 0, half.Descriptors.GetValueOrDefault(open.Key) + Allowance(open.Key)));
        Assert.InRange(whole.HeapBytes - half.HeapBytes, long.MinValue, MaxHeapGrowth);
        Assert.InRange(whole.ResidentBytes - half.ResidentBytes, long.MinValue, MaxResidentGrowth);
    }

    /// <summary>
    /// Pooled connections to the test and to the model come and go by one; a leak would be one a session. The runtime opens
    /// the programs' own files once, to name the frames of the first exception that is logged.
    /// </summary>
    private static int Allowance(string kind) => kind == "socket:" ? 1 : kind.EndsWith(".dll", StringComparison.Ordinal) || kind.EndsWith(".pdb", StringComparison.Ordinal) ? 2 : 0;

    private static async Task UseSessionsAsync(AshServer server, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await UseSessionAsync(server);
        }
    }

    /// <summary>One session from its creation to its purge, with a turn that uses a tool.</summary>
    private static async Task UseSessionAsync(AshServer server)
    {
        var session = await server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = "leaves-nothing" });
        var turn = await server.PlayAsync(
            session.Id, """[{"tool":{"name":"Bash","input":{"command":"echo used > used.txt","description":"d"}}},{"text":"done"}]""");
        Assert.Equal("completed", turn.Reason);
        var used = await server.ExecAsync(session.Id, "cat used.txt");
        Assert.Equal("used\n", used.Stdout);
        await server.Client.Sessions.EndAsync(session.Id, purge: true);
    }

    private async Task<ServerFootprint> MeasureAsync(AshServer server, string when, CancellationToken cancellationToken)
    {
        var footprint = await ServerFootprint.MeasureAsync(server, cancellationToken);
        output.WriteLine($"{when}: {footprint}");
        return footprint;
    }

    /// <summary>What there is once it equals <paramref name="expected"/>; what there is instead when it has not come to that in time.</summary>
    private static async Task<IReadOnlyList<string>> RemainsOnceQuietAsync(
        AshServer server, IReadOnlyList<string> expected, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        using var probe = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var remains = FoldersOf(server);
        while ((!remains.SequenceEqual(expected) || server.Processes().Count > 0) && !patience.IsCancellationRequested)
        {
            await probe.WaitForNextTickAsync(cancellationToken);
            remains = FoldersOf(server);
        }

        return remains;
    }

    /// <summary>Every folder, socket and file of the server, in its data folder and in the cgroups, but for the store itself.</summary>
    private static List<string> FoldersOf(AshServer server)
    {
        var files = Directory.EnumerateFileSystemEntries(server.DataDirectory, "*", SearchOption.AllDirectories)
            .Where(path => !Path.GetFileName(path).StartsWith("ash.db", StringComparison.Ordinal));
        var cgroups = Directory.EnumerateDirectories("/sys/fs/cgroup", $"ash-{server.ServerId}", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })
            .SelectMany(folder => Directory.EnumerateDirectories(folder).Append(folder));
        return [.. files.Concat(cgroups).Order(StringComparer.Ordinal)];
    }

    private static List<string> StoredRows(AshServer server)
    {
        var connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = Path.Combine(server.DataDirectory, "ash.db"),
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
        };
        using var connection = new SqliteConnection(connectionString.ToString());
        connection.Open();
        List<string> rows = [];
        foreach (var table in (string[])["sessions", "turns", "events", "sandboxes", "idempotency_keys"])
        {
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The names above.
            command.CommandText = $"SELECT count(*) FROM {table}";
#pragma warning restore CA2100
            if ((long)command.ExecuteScalar()! is > 0 and var count) // Count always gives a number.
            {
                rows.Add($"{table}: {count}");
            }
        }

        return rows;
    }
}
