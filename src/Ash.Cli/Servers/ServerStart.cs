using Ash.Cli.Configuration;
using Ash.Client;

namespace Ash.Cli.Servers;

/// <summary>Starts a server in the background and stays with it until it is ready.</summary>
internal sealed record ServerStart(DataFolder Folder, int Port, IReadOnlyDictionary<string, string> Environment)
{
    private const int ShownLogLines = 20;

    // What a server says at its start for whoever started it to read.
    private const string WarningMark = "Warning: ";
    private const long MaxLogBytes = 10 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Returns once the server is ready, with its model.</summary>
    /// <exception cref="CliException">It ended, or was not ready in time; the message ends with its log, or says what it lacks.</exception>
    public async Task<(ServerRecord Server, string? Model)> RunAsync(
        CommandContext context, ServerProgram program, CancellationToken cancellationToken)
    {
        PrivateFiles.CreateFolder(Folder.Path);
        PrivateFiles.CreateFolder(Folder.LogFolder);
        var logStart = RotateLog();

        context.Output.Note("Starting Ash server …");
        var pid = NativeProcess.StartDetached(program, Environment, Folder.LogFile);
        using var timer = new PeriodicTimer(LookEvery, context.Host.Clock);
        var begun = context.Host.Clock.GetTimestamp();
        ServerRecord? server = null;
        IReadOnlyList<string> missing = [];

        do
        {
            if (NativeProcess.HasEnded(pid))
            {
                throw Ended(logStart);
            }

            // What an earlier server wrote is left alone: the folder's id is in it.
            server ??= Folder.FindServer() is { Port: > 0 } found && found.Pid == pid ? found : null;

            if (server is not null)
            {
                using var client = context.Connect(ServerAddress.OfPort(server.Port), apiKey: null);
                var (model, lacks) = await LookAsync(client, cancellationToken);

                if (lacks is [])
                {
                    ShowWarnings(context, logStart);
                    return (server, model);
                }

                foreach (var news in lacks.Except(missing))
                {
                    context.Output.Note($"  waiting for: {news}");
                }

                missing = lacks;
            }
        }
        while (context.Host.Clock.GetElapsedTime(begun) < Patience && await timer.WaitForNextTickAsync(cancellationToken));

        throw new CliException(
            $"The server runs (pid {pid}), but was not ready within {Patience.TotalSeconds:0} s"
            + (missing is [] ? "." : $": {string.Join("; ", missing)}.")
            + " See: ash logs");
    }

    /// <summary>What the server lacks; nothing where it is ready.</summary>
    private static async Task<(string? Model, IReadOnlyList<string> Missing)> LookAsync(
        AshClient client, CancellationToken cancellationToken)
    {
        try
        {
            var readiness = await client.GetReadinessAsync(cancellationToken);
            var health = await client.GetHealthAsync(cancellationToken);
            return readiness switch
            {
                { Ready: true } => (health.Model, []),
                { Missing: [] } => (health.Model, ["readiness"]),
                _ => (health.Model, readiness.Missing),
            };
        }
        catch (AshConnectionException)
        {
            return (null, ["an answer"]);
        }
    }

    /// <summary>A server that is ready may still have something to say: that it has no model key, for one.</summary>
    private void ShowWarnings(CommandContext context, long logStart)
    {
        using var log = LogReader.Open(Folder.LogFile);
        log.Position = logStart;

        foreach (var line in LogReader.ReadLast(log, int.MaxValue))
        {
            if (line.StartsWith(WarningMark, StringComparison.Ordinal))
            {
                context.Output.Note(line);
            }
        }
    }

    /// <summary>Where the log of this start begins.</summary>
    private long RotateLog()
    {
        var log = new FileInfo(Folder.LogFile);

        if (!log.Exists)
        {
            return 0;
        }

        if (log.Length <= MaxLogBytes)
        {
            return log.Length;
        }

        log.MoveTo(Folder.LogFile + ".1", overwrite: true);
        return 0;
    }

    private CliException Ended(long logStart)
    {
        using var log = LogReader.Open(Folder.LogFile);
        log.Position = logStart;
        var lines = LogReader.ReadLast(log, ShownLogLines);
        return new CliException(
            lines is [] ? "The server ended at once and logged nothing." : $"The server ended at once:\n{string.Join('\n', lines)}");
    }
}
