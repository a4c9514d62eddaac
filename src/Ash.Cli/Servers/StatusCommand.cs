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
        var command = new Command("status", "Shows how the server of this machine stands.") { dataDir };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var folder = context.DataFolder(context.Parse.GetValue(dataDir));
            var output = context.Output;

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
