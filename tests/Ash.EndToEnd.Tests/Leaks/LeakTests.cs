using System.Globalization;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Leaks;

/// <summary>Sessions that are created, used and purged leave nothing: not on the machine, not in the server.</summary>
public sealed class LeakTests(ITestOutputHelper output)
{
    private const long MaxHeapGrowth = 1024 * 1024;
    private const long MaxResidentGrowth = 20 * 1024 * 1024;
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("ASH_TEST_LONG") is { Length: > 0 };

    /// <summary>Half of them find out what a server keeps for good; the other half must add nothing to it.</summary>
    private static readonly int Half = IsLong ? 100 : 10;

    [Fact(Timeout = 60 * 60_000)]
    public async Task PurgedSessions_LeaveNothing_AndTheServerDoesNotGrow()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var server = await AshServer.StartAsync();
        await server.Client.Agents.DeployAsync(
            new DeployAgentRequest { Name = "leaves-nothing", Files = [new AgentFile("CLAUDE.md", Convert.ToBase64String("Be brief."u8))] },
            cancellationToken);
        await UseSessionAsync(server);
        var before = await ServerRemains.OnceQuietAsync(server, ServerRemains.FoldersOf(server), cancellationToken);

        await UseSessionsAsync(server, Half - 1);
        await ServerRemains.OnceQuietAsync(server, before, cancellationToken);
        var half = await MeasureAsync(server, $"after {Half}", cancellationToken);

        await UseSessionsAsync(server, Half);
        var remains = await ServerRemains.OnceQuietAsync(server, before, cancellationToken);
        var whole = await MeasureAsync(server, $"after {Half * 2}", cancellationToken);

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"growth over the last {Half} of {Half * 2}: heap {(whole.HeapBytes - half.HeapBytes) / 1024.0:0} KB, RSS {(whole.ResidentBytes - half.ResidentBytes) / 1048576.0:0.0} MB"));
        output.WriteLine(server.Output);
        Assert.Empty(server.Processes());
        Assert.Equal(before, remains);
        Assert.Empty(ServerRemains.StoredRows(server));
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
}
