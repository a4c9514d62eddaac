using System.Diagnostics;
using System.Security.Cryptography;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.Benchmarks;

/// <summary>The published server, with the stand-in in the CLI's place or with the CLI itself, and an agent.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    public const string Prompt = "Be measured.";

    private const string Agent = "bench";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private BenchServer(AshServer server) => Server = server;

    public AshServer Server { get; }

    /// <summary>With the stand-in.</summary>
    public static async Task<BenchServer> StartAsync(params (string Name, string Value)[] settings)
    {
        var sha256 = Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(Machine.StandIn)));
        return await StartWithCliAsync(
        [
            ("CLAUDE_CODE_EXECUTABLE", Machine.StandIn),
            ("ASH_CLI_SHA256", sha256),

            // A stand-in takes a hundredth of the CLI's memory, which the server would leave room for.
            ("ASH_MEMORY_RESERVE_MB", "0"),
            .. settings,
        ]);
    }

    /// <summary>With the CLI, and the scripted model behind the broker.</summary>
    public static async Task<BenchServer> StartWithCliAsync(params (string Name, string Value)[] settings)
    {
        var environment = settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value);
        var server = new BenchServer(await AshServer.StartAsync(new AshServerOptions { Environment = environment }));
        await server.Server.Client.GetReadinessAsync();
        await server.Server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = Agent, SystemPrompt = Prompt });
        return server;
    }

    /// <summary>After a stop, on the same data; returns when it is ready.</summary>
    public async Task StartAgainAsync()
    {
        await Server.StartAgainAsync();
        await Server.Client.GetReadinessAsync();
    }

    public RawClient Connect() => new(Server.Url, Server.ApiKey);

    /// <summary>The body that creates a session.</summary>
    public static string CreateBody => $$"""{"agent":"{{Agent}}"}""";

    public Task<SessionInfo> CreateAsync() => Server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = Agent });

    public async Task<IReadOnlyList<Guid>> CreateManyAsync(int count, int atOnce)
    {
        var sessions = new List<Guid>();
        foreach (var batch in Enumerable.Range(0, count).Chunk(atOnce))
        {
            sessions.AddRange((await Task.WhenAll(batch.Select(_ => CreateAsync()))).Select(session => session.Id));
        }

        return sessions;
    }

    public Task<TurnInfo> SendAsync(Guid session, string text) => Server.SendAsync(session, text);

    /// <summary>Waits until the server says so of itself.</summary>
    public async Task WaitUntilAsync(Predicate<HealthInfo> fits)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!fits(await Server.Client.GetHealthAsync(patience.Token)))
        {
            await Task.Delay(10, patience.Token);
        }
    }

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

    /// <inheritdoc cref="TimeAsync"/>
    public static double[] Time(int count, int warmUp, Action work)
    {
        var times = new double[count];
        for (var i = -warmUp; i < count; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            work();
            if (i >= 0)
            {
                times[i] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            }
        }

        return times;
    }
}
