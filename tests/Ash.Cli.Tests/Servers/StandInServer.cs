using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ash.Cli.Tests.Servers;

/// <summary>A process that does of a server's work what <c>ash start</c> looks at.</summary>
internal static class StandInServer
{
    public static async Task<int> RunAsync(string[] args)
    {
        if (args is ["simulate", ..])
        {
            Console.WriteLine(string.Join(' ', args));
            return 0;
        }

        var port = args[Array.IndexOf(args, "--port") + 1];
        var dataDir = args[Array.IndexOf(args, "--data-dir") + 1];
        Console.WriteLine($"hello from {Environment.GetEnvironmentVariable("GREETER")}");

        Console.WriteLine("Warning: no model key");

        if (Environment.GetEnvironmentVariable("FAIL") is { } reason)
        {
            Console.Error.WriteLine($"cannot start: {reason}");
            return 7;
        }

        await using var held = new FileStream(Path.Combine(dataDir, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        await using var app = builder.Build();
        var questions = 0;
        app.Run(context => (context.Request.Path.Value, Interlocked.Increment(ref questions)) switch
        {
            ("/health", _) => context.Response.WriteAsync(
                """{"status":"ok","version":"9.9","coordinatorId":"x-1","activeSessions":3,"activeSandboxes":2,"remoteRunners":0,"uptime":1.5,"pool":{"warm":1,"maxCapacity":8},"model":"scripted"}"""),
            ("/health/ready", 1) => NotReadyAsync(context),
            _ => context.Response.WriteAsync("""{"ready":true,"missing":[]}"""),
        });
        await app.StartAsync();

        var bound = new Uri(app.Urls.First()).Port;
        await File.WriteAllTextAsync(Path.Combine(dataDir, "initial-api-key"), "first-key\n");
        await File.WriteAllTextAsync(
            Path.Combine(dataDir, "server.json"),
            string.Create(CultureInfo.InvariantCulture, $$"""{"id":"abc","pid":{{Environment.ProcessId}},"port":{{bound}}}"""));
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static Task NotReadyAsync(HttpContext context)
    {
        context.Response.StatusCode = 503;
        return context.Response.WriteAsync("""{"ready":false,"missing":["the sandbox self-test"]}""");
    }
}
