using System.CommandLine;
using System.Globalization;
using Ash.Cli.Agents;
using Ash.Cli.Output;

namespace Ash.Cli.Servers;

/// <summary><c>ash start</c>.</summary>
internal static class StartCommand
{
    public static Command Create(CommandBinder binder)
    {
        var port = new Option<int?>("--port")
        {
            Description = "The port to listen on; 0 takes a free one. Otherwise ASH_PORT, then 4100.",
            HelpName = "port",
        };
        var dataDir = ServerOptions.DataDir();
        var databaseUrl = new Option<string?>("--database-url")
        {
            Description = "The database, instead of SQLite in the data folder.",
            HelpName = "url",
        };
        var env = EnvOption.Create("Sets a variable of the server's environment.");
        var foreground = new Option<bool>("--foreground") { Description = "Stays, and shows the server's log." };

        var containers = new ContainerOptions();
        var command = new Command("start", "Starts the server of this machine.") { port, dataDir, databaseUrl, env, foreground };
        containers.AddTo(command);

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            containers.Explain(context);
            var start = new ServerStart(
                context.DataFolder(context.Parse.GetValue(dataDir)),
                context.Parse.GetValue(port) ?? PortOf(context.Host),
                EnvironmentOf(context, context.Parse.GetValue(databaseUrl), EnvOption.Read(context.Parse, env)));

            if (start.Folder.FindServer() is { } running)
            {
                Report(context, start.Folder, running, "Ash server is already running.", database: null, model: null);
                return ExitCodes.Ok;
            }

            var program = ServerProgram.Find(
                context.Host, "--port", $"{start.Port}", "--data-dir", start.Folder.Path);

            if (context.Parse.GetValue(foreground))
            {
                return context.Host.Become(program, start.Environment);
            }

            var (started, model) = await start.RunAsync(context, program, cancellationToken);
            Report(context, start.Folder, started, "Ash server is running.", ShowDatabase(start.Environment.GetValueOrDefault("ASH_DATABASE_URL")), model);
            return ExitCodes.Ok;
        });
    }

    private static int PortOf(CliHost host) => host.Variable("ASH_PORT") switch
    {
        null => ServerAddress.DefaultPort,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) => port,
        var text => throw new CliException($"ASH_PORT is not a port: \"{text}\"", ExitCodes.Usage),
    };

    private static Dictionary<string, string> EnvironmentOf(
        CommandContext context, string? databaseUrl, IReadOnlyDictionary<string, string> env)
    {
        var environment = new Dictionary<string, string>(context.Host.Environment);

        if (databaseUrl is not null)
        {
            environment["ASH_DATABASE_URL"] = databaseUrl;
        }

        if (context.GivenApiKey is { } key)
        {
            environment["ASH_API_KEY"] = key;
        }

        foreach (var (name, value) in env)
        {
            environment[name] = value;
        }

        return environment;
    }

    /// <summary>The database without its password, which may also stand among the options; null for SQLite.</summary>
    /// <param name="url">One that a server has started with.</param>
    private static string? ShowDatabase(string? url)
    {
        if (url is not { Length: > 0 })
        {
            return null;
        }

        var place = url.Split('?')[0];
        var begin = place.IndexOf("//", StringComparison.Ordinal) + 2;
        var at = place.LastIndexOf('@');
        return at < 0 ? place : $"{place[..begin]}{place[begin..at].Split(':')[0]}{place[at..]}";
    }

    private static void Report(CommandContext context, DataFolder folder, ServerRecord server, string headline, string? database, string? model)
    {
        var output = context.Output;
        var url = ServerAddress.OfPort(server.Port);

        if (InitialKey.Import(folder, context.Store))
        {
            output.Say($"API key saved to {context.Store.Path}.");
        }

        output.Say(headline);
        output.Say($"  URL:      {ServerAddress.Show(url)}");
        if (database is not null)
        {
            output.Say($"  Database: {database}");
        }

        output.Say($"  Data dir: {folder.Path}");

        if (model is not null)
        {
            output.Say($"  Model:    {model}");
        }

        if (context.ServerUrl.Authority != url.Authority)
        {
            output.Say($"Commands go to {ServerAddress.Show(context.ServerUrl)}. For this server: export ASH_SERVER_URL={ServerAddress.Show(url)}");
        }

        output.ResultForPrograms(new ServerStatus("running", server.Pid, server.Port, ServerAddress.Show(url), folder.Path));
    }
}
