using System.IO.Pipelines;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Ash.Client;
using Ash.Protocol.Api;
using Ash.Runner.Sandboxes;
using Ash.Server.Access;
using Ash.Server.Configuration;
using Ash.Server.Events;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Storage.Postgres;
using Ash.Server.Tests.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Ash.Server.Tests.InMemory;

/// <summary>The real server in this process, on a clock that the test moves, with sandboxes that the test scripts.</summary>
/// <remarks>Sweepers do not run by themselves: the test alone decides when they act.</remarks>
internal sealed class InMemoryServer : IAsyncDisposable
{
    private const string ApiKey = "ash_in_memory";
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);
    private readonly WebApplication _app;
    private readonly DataFolder _data;
    private readonly PostgresAddress? _database;

    private InMemoryServer(WebApplication app, DataFolder data, WatchedDisk disk, ScriptedSandboxHost host, TestClock clock, string apiKey)
    {
        _app = app;
        _database = app.Services.GetRequiredService<ServerSettings>().Database;
        _data = data;
        Disk = disk;
        Host = host;
        Clock = clock;
        var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .First(address => address.StartsWith("http://127.0.0.1", StringComparison.Ordinal));
        Client = new AshClient(new AshClientOptions { ServerUrl = new Uri(url), ApiKey = apiKey });
        Http = Connect(apiKey);
    }

    public ScriptedSandboxHost Host { get; }

    public TestClock Clock { get; }

    /// <summary>Where the store lies.</summary>
    public WatchedDisk Disk { get; }

    public AshClient Client { get; }

    public HttpClient Http { get; }

    /// <summary>Plain HTTP with another key, or with none.</summary>
    public HttpClient Connect(string? key)
    {
        var http = new HttpClient { BaseAddress = Client.ServerUrl };
        http.DefaultRequestHeaders.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    /// <summary>Plain HTTP with a fresh key.</summary>
    public async Task<HttpClient> ConnectAsync(string tenant, string? scopes = null, DateTimeOffset? expiresAt = null) =>
        Connect((await Get<ApiKeys>().CreateAsync(tenant, "test", scopes, expiresAt)).Key);

    public string Folder => _data.Path;

    public string Workspaces => _data.Workspaces;

    public string AgentContents => _data.Agents;

    public static async Task<InMemoryServer> StartAsync(
        Func<ServerSettings, ServerSettings>? adjust = null, Action<IServiceCollection>? replace = null,
        Action<ScriptedSandboxHost>? prepare = null)
    {
        var folder = Directory.CreateTempSubdirectory("ash-mem-").FullName;
        var environment = new Dictionary<string, string?>
        {
            ["ASH_PORT"] = "0", ["ASH_DATA_DIR"] = folder, ["ASH_API_KEY"] = ApiKey, ["ASH_WARM_SANDBOXES"] = "0",
        };
        if (OnDatabaseAttribute.Current == TestDatabase.Postgres)
        {
            environment["ASH_DATABASE_URL"] = PostgresDatabases.CreateUrl();
        }

        var settings = SettingsLoader.Load([], environment, out var report);
        Assert.Empty(report.Errors);
        var data = DataFolder.TryOpen(folder, out _)!;
        var disk = new WatchedDisk(folder);
        var host = new ScriptedSandboxHost(Path.Combine(folder, "run"));
        prepare?.Invoke(host);
        var clock = new TestClock();
        settings = adjust?.Invoke(settings) ?? settings;
        var app = await ServerCommand.BuildAsync(settings, data, services =>
        {
            services.AddSingleton<ISandboxHost>(host);
            services.AddSingleton<TimeProvider>(clock);
            OnlyWhenAsked<IdleSessionSweeper>(services);
            OnlyWhenAsked<EndedSessionSweeper>(services);
            OnlyWhenAsked<DeltaSweeper>(services);
            OnlyWhenAsked<LastUseWriter>(services);
            replace?.Invoke(services);
        });
        await app.StartAsync();
        var apiKey = settings.ApiKey ?? await File.ReadAllTextAsync(data.InitialApiKey);
        var server = new InMemoryServer(app, data, disk, host, clock, apiKey);
        await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "echo", SystemPrompt = "Echo." });
        return server;
    }

    public Task<SessionInfo> CreateSessionAsync(string? key = null) =>
        Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = "echo" }, key);

    public async Task<string> StatusOfAsync(SessionInfo session) => (await Client.Sessions.GetAsync(session.Id)).Status;

    public Task SweepIdleSessionsAsync() => Get<IdleSessionSweeper>().SweepAsync();

    public Task SweepEndedSessionsAsync() => Get<EndedSessionSweeper>().SweepAsync(CancellationToken.None);

    public Task StoreLastUsesAsync() => Get<LastUseWriter>().SweepAsync(CancellationToken.None);

    public Task SweepDeltasAsync() => Get<DeltaSweeper>().SweepAsync(CancellationToken.None);

    /// <summary>Everything that the session's log holds now, as it is sent.</summary>
    public Task<string> ReadStreamAsync(SessionInfo session, string query = "") =>
        Http.GetStringAsync($"/api/sessions/{session.Id}/stream?until=idle{query}");

    /// <summary>The same, from the store alone: as it is once nobody has the session's newest events in memory.</summary>
    public async Task<string> ReadStoreAsync(SessionInfo session)
    {
        using var written = new MemoryStream();
        var output = PipeWriter.Create(written);
        await new EventStream(Get<IEventPages>(), Clock).WriteAsync(
            new EventTail(session.Id), new EventStreamRequest(EventCursor.Start, EventFilter.All, UntilIdle: true), output, CancellationToken.None);
        await output.CompleteAsync();
        return Encoding.UTF8.GetString(written.ToArray());
    }

    /// <summary>Sends a message; returns once it is accepted, with the task of its turn's end and the reason for that.</summary>
    public async Task<Task<string?>> BeginTurnAsync(SessionInfo session, string text)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/sessions/{session.Id}/messages")
        {
            Content = JsonContent.Create(new SendMessageRequest { Content = JsonSerializer.SerializeToElement(text) }, ApiJson.Default.SendMessageRequest),
        };
        var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        return EndAsync();

        async Task<string?> EndAsync()
        {
            await response.Content.ReadAsStringAsync();
            response.Dispose();
            await using var db = await ReadStoreAsync();
            return await db.Turns.Where(turn => turn.SessionId == session.Id).OrderByDescending(turn => turn.Id).Select(turn => turn.Reason).FirstAsync();
        }
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public async Task<AshDbContext> ReadStoreAsync() =>
        await Get<IDbContextFactory<AshDbContext>>().CreateDbContextAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Http.Dispose();

        // A turn that a test leaves running is not worth the half minute that it would be waited for.
        using (var patience = new CancellationTokenSource(StopPatience))
        {
            await _app.StopAsync(patience.Token);
        }

        await _app.DisposeAsync();
        _data.Dispose();
        Disk.Dispose();
        Directory.Delete(_data.Path, recursive: true);
        if (_database is not null)
        {
            PostgresDatabases.Drop(_database);
        }
    }

    private static void OnlyWhenAsked<T>(IServiceCollection services)
        where T : class, IHostedService
    {
        services.Remove(services.Single(service => service.ServiceType == typeof(IHostedService) && service.ImplementationType == typeof(T)));
        services.TryAddSingleton<T>();
    }
}
