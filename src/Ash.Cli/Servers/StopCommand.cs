using System.CommandLine;
using Ash.Cli.Output;

namespace Ash.Cli.Servers;

/// <summary><c>ash stop</c>.</summary>
internal static class StopCommand
{
    // A server that drains takes snapshots of its sessions first.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    public static Command Create(CommandBinder binder)
    {
        var dataDir = ServerOptions.DataDir();
        var command = new Command("stop", "Stops the server of this machine.") { dataDir };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var folder = context.DataFolder(context.Parse.GetValue(dataDir));

            if (folder.FindServer() is not { } server || !NativeProcess.Terminate(server.Pid))
            {
                context.Output.Say("No Ash server is running.");
            }
            else
            {
                using (context.Output.Wait("Waiting for the server to end"))
                {
                    await WaitForEndAsync(server.Pid, context.Host.Clock, cancellationToken);
                }

                context.Output.Say("Ash server stopped.");
            }

            context.Output.ResultForPrograms(new ServerStatus("stopped", DataDir: folder.Path));
            return ExitCodes.Ok;
        });
    }

    private static async Task WaitForEndAsync(int pid, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LookEvery, clock);
        var begun = clock.GetTimestamp();

        while (ServerProcess.IsAshServer(pid))
        {
            if (clock.GetElapsedTime(begun) > Patience)
            {
                throw new CliException($"The server (pid {pid}) has not ended within {Patience.TotalSeconds:0} s. See: ash logs");
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}
