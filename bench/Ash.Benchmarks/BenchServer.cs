using System.Diagnostics;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.Benchmarks;

/// <summary>The published server, with the stand-in in the CLI's place or with the CLI itself, and an agent.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    public const string Prompt = "Be measured.";

    private const string Agent = "bench";

    private BenchServer(AshServer server) => Server = server;

    public AshServer Server { get; }

    /// <summary>With the stand-in.</summary>
    public static Task<BenchServer> StartAsync(params (string Name, string Value)[] settings) => StartAsync(StandInCli.Settings, settings);

    /// <summary>With the CLI, and the scripted model behind the broker.</summary>
    public static Task<BenchServer> StartWithCliAsync(params (string Name, string Value)[] settings) =>
        StartAsync(new Dictionary<string, string?>(), settings);

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

    /// <inheritdoc cref="AshServer.WaitUntilAsync"/>
    public Task WaitUntilAsync(Predicate<HealthInfo> fits) => Server.WaitUntilAsync(fits);

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>How long each of so many runs takes, in milliseconds, after some that do not count.</summary>
    /// <param name="count">So many count.</param>
    /// <param name="warmUp">So many do not.</param>
    /// <param name="work">What is timed.</param>
    /// <param name="prepare">Goes before each run, and is not timed.</param>
    public static async Task<double[]> TimeAsync(int count, int warmUp, Func<Task> work, Func<Task>? prepare = null)
    {
        var times = new double[count];
        for (var i = -warmUp; i < count; i++)
        {
            await (prepare?.Invoke() ?? Task.CompletedTask);
            var begun = Stopwatch.GetTimestamp();
            await work();
            if (i >= 0)
            {
                times[i] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            }
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

    private static async Task<BenchServer> StartAsync(IReadOnlyDictionary<string, string?> fixedSettings, (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string?>(fixedSettings)
        {
            // Counted as ever, and never reached: what is measured is how fast the server is.
            ["ASH_RATE_LIMIT"] = $"{int.MaxValue}",
            ["ASH_RATE_LIMIT_CREATES"] = $"{int.MaxValue}",
        };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        var server = new BenchServer(await AshServer.StartAsync(new AshServerOptions { Environment = environment }));
        await server.Server.Client.GetReadinessAsync();
        await server.Server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = Agent, SystemPrompt = Prompt });
        return server;
    }
}
