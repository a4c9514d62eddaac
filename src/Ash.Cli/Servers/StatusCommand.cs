using System.CommandLine;
using System.Globalization;
using Ash.Cli.Output;
using Ash.Client;
using Ash.Protocol.Api;

namespace Ash.Cli.Servers;

/// <summary><c>ash status</c>.</summary>
internal static class StatusCommand
{
    public static Command Create(CommandBinder binder)
    {
        var dataDir = ServerOptions.DataDir();
        var port = new Option<int?>("--port") { Description = "Asks the server at this port of this machine instead.", HelpName = "port" };
        var command = new Command("status", "Shows how the server of this machine stands.") { dataDir, port };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var folder = context.DataFolder(context.Parse.GetValue(dataDir));
            var output = context.Output;

            if (context.Parse.GetValue(port) is { } asked)
            {
                return await ShowPortAsync(context, asked, cancellationToken);
            }

            if (folder.FindServer() is not { } server)
            {
                output.Say("Server: stopped");
                output.Say($"  Data dir: {folder.Path}");
                output.ResultForPrograms(new ServerStatus("stopped", DataDir: folder.Path));
                return ExitCodes.NoServer;
            }

            var url = ServerAddress.OfPort(server.Port);
            var health = await FindHealthAsync(context, url, cancellationToken);

            output.Say(health is null ? "Server: running, but not answering" : "Server: running");
            output.Say($"  URL: {ServerAddress.Show(url)}");
            output.Say(string.Create(CultureInfo.InvariantCulture, $"  PID: {server.Pid}"));
            output.Say(string.Create(CultureInfo.InvariantCulture, $"  Port: {server.Port}"));
            output.Say($"  Data dir: {folder.Path}");

            if (health is not null)
            {
                Say(output, health);
            }

            output.ResultForPrograms(
                new ServerStatus("running", server.Pid, server.Port, ServerAddress.Show(url), folder.Path, health));
            return health is null ? ExitCodes.NoServer : ExitCodes.Ok;
        });
    }

    /// <summary>Of a server that another folder belongs to, or that was not started by <c>ash start</c>.</summary>
    private static async Task<int> ShowPortAsync(CommandContext context, int port, CancellationToken cancellationToken)
    {
        var url = ServerAddress.OfPort(port);
        var health = await FindHealthAsync(context, url, cancellationToken);
        context.Output.Say(health is null ? "Server: stopped" : "Server: running");
        context.Output.Say($"  URL: {ServerAddress.Show(url)}");

        if (health is not null)
        {
            Say(context.Output, health);
        }

        context.Output.ResultForPrograms(
            new ServerStatus(health is null ? "stopped" : "running", Port: port, Url: ServerAddress.Show(url), Health: health));
        return health is null ? ExitCodes.NoServer : ExitCodes.Ok;
    }

    private static async Task<HealthInfo?> FindHealthAsync(CommandContext context, Uri url, CancellationToken cancellationToken)
    {
        try
        {
            using var client = context.Connect(url, apiKey: null);
            return await client.GetHealthAsync(cancellationToken);
        }
        catch (AshConnectionException)
        {
            return null;
        }
    }

    private static void Say(CliOutput output, HealthInfo health)
    {
        var pool = health.Pool;

        foreach (var line in (ReadOnlySpan<FormattableString>)
        [
            $"  Version: {health.Version}",
            $"  Model: {health.Model ?? "claude"}",
            $"  Active sessions: {health.ActiveSessions}",
            $"  Active sandboxes: {health.ActiveSandboxes}",
            $"  Uptime: {health.Uptime:0}s",
            $"  Pool: {pool.Running} running, {pool.Waiting} waiting, {pool.Warm} warm, {pool.Warming} warming, {pool.Cold} cold (max {pool.MaxCapacity})",
        ])
        {
            output.Say(line.ToString(CultureInfo.InvariantCulture));
        }
    }
}
