using System.Data.Common;
using System.Net;
using System.Net.Sockets;
using Ash.Runner.Sandboxes;
using Ash.Server.Access;
using Ash.Server.Agents;
using Ash.Server.Attachments;
using Ash.Server.Broker;
using Ash.Server.Configuration;
using Ash.Server.Credentials;
using Ash.Server.Files;
using Ash.Server.Health;
using Ash.Server.Http;
using Ash.Server.Model;
using Ash.Server.Runners;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Ash.Server;

/// <summary><c>ash-server</c>: checks everything, starts, and runs until it is told to stop.</summary>
internal static class ServerCommand
{
    private const int CannotStart = 1;

    public static int Help()
    {
        Console.WriteLine(SettingsLoader.Usage);
        return 0;
    }

    public static int Version()
    {
        Console.WriteLine(ServerVersion.Text);
        return 0;
    }

    public static async Task<int> RunAsync(string[] args)
    {
        var environment = Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .ToDictionary(name => name, Environment.GetEnvironmentVariable);
        var settings = SettingsLoader.Load(args, environment, out var report);
        var problems = FindProblems(settings, report);
        using var data = problems.Count == 0 ? TakeFolder(settings, problems) : null;
        if (data is null)
        {
            return await RefuseAsync(problems);
        }

        foreach (var warning in report.Warnings)
        {
            Console.WriteLine($"Warning: {warning}");
        }

        var code = await RunAsync(settings, data);
        RunFolder.RemoveIfUnused(data);
        return code;
    }

    /// <summary>Everything that is wrong, found without touching anything.</summary>
    private static List<string> FindProblems(ServerSettings settings, SettingsReport report)
    {
        List<string> problems = [.. report.Errors];
        if (!OperatingSystem.IsLinux())
        {
            problems.Add("the server needs Linux; the ash command works here and talks to a server elsewhere");
            return problems;
        }

        // What was refused has a default in its place, which says nothing about this machine.
        if (!report.Refused.Overlaps(["ASH_HOST", "ASH_PORT"]) && FindPortProblem(settings) is { } taken)
        {
            problems.Add(taken);
        }

        if (!report.Refused.Contains("ASH_DATA_DIR")
            && (DataFolder.FindProblem(settings.DataDirectory) ?? RunFolder.FindProblem(settings.DataDirectory)) is { } unusable)
        {
            problems.Add(unusable);
        }

        problems.AddRange(RunnerFeature.FindMissing(settings));
        return problems;
    }

    private static DataFolder? TakeFolder(ServerSettings settings, List<string> problems)
    {
        var data = DataFolder.TryOpen(settings.DataDirectory, out var unusable);
        if (unusable is not null)
        {
            problems.Add(unusable);
        }

        return data;
    }

    private static async Task<int> RefuseAsync(IEnumerable<string> problems)
    {
        foreach (var problem in problems)
        {
            await Console.Error.WriteLineAsync($"ash-server: {problem}");
        }

        return CannotStart;
    }

    private static async Task<int> RunAsync(ServerSettings settings, DataFolder data)
    {
        try
        {
            await using var app = await BuildAsync(settings, data);
            app.Services.GetRequiredService<SelfTest>().Begin();
            try
            {
                await app.StartAsync();
            }
            catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
            {
                // Told to stop before it was up: sessions that were brought back already are parked, the rest stops in order.
                await app.StopAsync();
                return 0;
            }
            catch (Exception taken) when (taken is IOException or AddressInUseException)
            {
                // What is up already stops in order, before it is taken apart.
                await app.StopAsync();
                throw;
            }

            Announce(app, settings, data);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (Exception failure) when (failure is IOException or AddressInUseException or SandboxException or StoreException or DbException or OptionsValidationException)
        {
            // Something that was not to be seen before it was tried: a damaged store, a port that was taken just now.
            return await RefuseAsync([$"cannot start: {failure.Message} (data folder {data.Path})"]);
        }
    }

    /// <summary>The whole server, ready to start.</summary>
    /// <param name="settings">Checked.</param>
    /// <param name="data">Held by this process.</param>
    /// <param name="replace">Has the last word on the services, for tests.</param>
    internal static async Task<WebApplication> BuildAsync(ServerSettings settings, DataFolder data, Action<IServiceCollection>? replace = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = ["--hostBuilder:reloadConfigOnChange=false"] });

        // No settings from an appsettings.json that happens to lie in the working directory, and nothing that watches it.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddEnvironmentVariables();
        builder.Logging.AddServerLogging();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // Each route reads within its own limit.
            kestrel.Listen(Address(settings.Host), settings.Port);
            kestrel.ListenBroker();
        });
        builder.Host.UseSessionSilo(settings, data);

        await builder.Services.AddStorageAsync(data, settings);
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(ServerStart.Now());
        builder.Services.AddSingleton<SelfTest>();
        builder.Services.AddSingleton<ServerHealth>();
        builder.Services
            .AddTelemetry(settings)
            .AddApi()
            .AddAccess()
            .AddCredentials()
            .AddModel(settings)
            .AddRunner(settings, data)
            .AddAgents()
            .AddSessions()
            .AddFiles()
            .AddAttachments();

        replace?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseTelemetry();
        app.UseApi();
        app.UseAccess();
        app.UseMiddleware<Compression>();
        app.MapHealth();
        app.MapMetrics();
        app.MapApiKeys();
        app.MapCredentials();
        app.MapAgents();
        app.MapAgentFiles();
        app.MapPromptVersions();
        app.MapSessions();
        app.MapSandboxLog();
        app.MapMessages();
        app.MapFiles();
        app.MapWorkspaces();
        app.MapAttachments();
        app.MapDocs();
        return app;
    }

    private static void Announce(WebApplication app, ServerSettings settings, DataFolder data)
    {
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .First(address => address.StartsWith("http://", StringComparison.Ordinal));
        data.Announce(new Uri(address).Port, app.Services.GetRequiredService<BootRecord>().BootId);
        Console.WriteLine($"Ash {ServerVersion.Text} listens on {address}");
        Console.WriteLine($"Data folder: {data.Path}");
        if (settings.Database is { } database)
        {
            Console.WriteLine($"Database: {database}");
        }

        Console.WriteLine(settings.Model == ModelChoice.Scripted
            ? "Model: scripted (replies are made up; set ANTHROPIC_API_KEY and unset ASH_MODEL for Claude)"
            : $"Model: {settings.ModelBaseUrl?.ToString() ?? ModelUpstream.AnthropicApi}");
        if (settings is { Model: ModelChoice.Claude, ModelKey: null, ModelBaseUrl: null })
        {
            Console.WriteLine("Warning: no model key; turns end with model_not_configured until the server is started with ANTHROPIC_API_KEY (or ASH_MODEL=scripted)");
        }

        if (settings is { ModelKey: not null, ModelBaseUrl: { IsLoopback: false, Scheme: "http" } })
        {
            Console.WriteLine($"Warning: the model key goes to {settings.ModelBaseUrl} unencrypted (choose an https address in ASH_MODEL_BASE_URL)");
        }

        if (settings.Isolation == IsolationLevel.Reduced)
        {
            var user = Environment.IsPrivilegedProcess ? "" : ", and run as the server's own user";
            Console.WriteLine(
                $"Warning: isolation is reduced; sandboxes have no limits of memory, cores and processes{user} (unset ASH_ISOLATION for every layer)");
        }

        if (app.Services.GetRequiredService<ApiKeys>().KeyFile is { } keyFile)
        {
            Console.WriteLine($"API key: in {keyFile}");
        }
    }

    private static IPAddress Address(string host) => host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(host);

    private static string? FindPortProblem(ServerSettings settings)
    {
        try
        {
            using var probe = new TcpListener(Address(settings.Host), settings.Port);
            probe.Start();
            return null;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"ASH_PORT: port {settings.Port} is taken; choose another with --port",
                SocketError.AccessDenied => $"ASH_PORT: port {settings.Port} is for root alone; choose one from 1024 on with --port",
                SocketError.AddressNotAvailable => $"ASH_HOST: {settings.Host} is not an address of this machine; choose another with --host",
                _ => $"ASH_HOST, ASH_PORT: cannot listen on {settings.Host}, port {settings.Port} ({failure.Message}); choose others with --host and --port",
            };
        }
    }
}
