using System.Net;
using System.Net.Sockets;
using Ash.Server.Access;
using Ash.Server.Agents;
using Ash.Server.Broker;
using Ash.Server.Configuration;
using Ash.Server.Health;
using Ash.Server.Http;
using Ash.Server.Model;
using Ash.Server.Runners;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

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
        var settings = SettingsLoader.Load(args, environment, out var errors);
        var problems = new List<string>(errors);
        if (!OperatingSystem.IsLinux())
        {
            problems.Add("the server needs Linux; the ash command works here and talks to a server elsewhere");
        }

        if (PortProblem(settings) is { } taken)
        {
            problems.Add(taken);
        }

        using var data = DataFolder.TryOpen(settings.DataDirectory, out var unusable);
        if (unusable is not null)
        {
            problems.Add(unusable);
        }

        if (data is not null)
        {
            problems.AddRange(RunnerFeature.FindMissing(RunnerFeature.DescribeRunner(settings, data)));
        }

        if (problems.Count > 0)
        {
            foreach (var problem in problems)
            {
                await Console.Error.WriteLineAsync($"ash-server: {problem}");
            }

            return CannotStart;
        }

        await using var app = Build(settings, data!);
        try
        {
            await app.StartAsync();
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Told to stop before it was up.
            return 0;
        }

        Announce(app, settings, data!);
        await app.WaitForShutdownAsync();
        return 0;
    }

    /// <summary>The whole server, ready to start.</summary>
    /// <param name="settings">Checked.</param>
    /// <param name="data">Held by this process.</param>
    /// <param name="replace">Has the last word on the services, for tests.</param>
    internal static WebApplication Build(ServerSettings settings, DataFolder data, Action<IServiceCollection>? replace = null)
    {
        data.MigrateStorage();
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.AddServerLogging();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // Each route reads within its own limit.
            kestrel.Listen(Address(settings.Host), settings.Port);
            kestrel.ListenBroker();
        });
        builder.Host.UseSessionSilo(data);

        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<SelfTest>();
        builder.Services.AddSingleton<ServerHealth>();
        builder.Services
            .AddApi()
            .AddStorage(data)
            .AddAccess()
            .AddModel(settings)
            .AddRunner(RunnerFeature.DescribeRunner(settings, data))
            .AddAgents()
            .AddSessions();

        replace?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseApi();
        app.UseAccess();
        app.MapHealth();
        app.MapAgents();
        app.MapSessions();
        app.MapMessages();
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
        Console.WriteLine(settings.Model == ModelChoice.Scripted
            ? "Model: scripted (replies are made up; set ANTHROPIC_API_KEY and unset ASH_MODEL for Claude)"
            : $"Model: {settings.ModelBaseUrl?.ToString() ?? ModelUpstream.AnthropicApi}");
        if (settings is { Model: ModelChoice.Claude, ModelKey: null, ModelBaseUrl: null })
        {
            Console.WriteLine("Warning: no model key; turns end with model_not_configured until ANTHROPIC_API_KEY is set (or ASH_MODEL=scripted)");
        }

        if (app.Services.GetRequiredService<ApiKeys>().KeyFile is { } keyFile)
        {
            Console.WriteLine($"API key: in {keyFile}");
        }
    }

    private static IPAddress Address(string host) => host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(host);

    /// <summary>Asked before anything is touched, so that it is reported with everything else that is wrong.</summary>
    private static string? PortProblem(ServerSettings settings)
    {
        try
        {
            using var probe = new TcpListener(Address(settings.Host), settings.Port);
            probe.Start();
            return null;
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return $"port {settings.Port} is taken; choose another with --port";
        }
        catch (SocketException failure)
        {
            return $"cannot listen on {settings.Host}:{settings.Port}: {failure.Message}";
        }
    }
}
