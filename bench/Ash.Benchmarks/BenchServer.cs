using System.Diagnostics;
using System.Security.Cryptography;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.Benchmarks;

/// <summary>The published server with the stand-in in the CLI's place, and an agent.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    private const string Agent = "bench";

    private BenchServer(AshServer server) => Server = server;

    public AshServer Server { get; }

    public static async Task<BenchServer> StartAsync(params (string Name, string Value)[] settings)
    {
        var environment = settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value);
        environment["CLAUDE_CODE_EXECUTABLE"] = Machine.StandIn;
        environment["ASH_CLI_SHA256"] = Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(Machine.StandIn)));

        // A stand-in takes a hundredth of the CLI's memory, which the server would leave room for.
        environment["ASH_MEMORY_RESERVE_MB"] = "0";
        var server = new BenchServer(await AshServer.StartAsync(new AshServerOptions { Environment = environment }));
        await server.Server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = Agent, SystemPrompt = "Be measured." });
        return server;
    }

    public Task<SessionInfo> CreateAsync() => Server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = Agent });

    public Task<TurnInfo> SendAsync(Guid session, string text) => Server.SendAsync(session, text);

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>How long each of so many runs takes, in milliseconds, after some that do not count.</summary>
    public static async Task<double[]> TimeAsync(int count, int warmUp, Func<int, Task> work)
    {
        for (var i = 0; i < warmUp; i++)
        {
            await work(-1 - i);
        }

        var times = new double[count];
        for (var i = 0; i < count; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await work(i);
            times[i] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        }

        return times;
    }
}
