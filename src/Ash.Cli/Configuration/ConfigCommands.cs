using System.CommandLine;
using Ash.Cli.Output;

namespace Ash.Cli.Configuration;

/// <summary><c>ash config …</c>: what is kept in <c>~/.ash/config.json</c>.</summary>
internal static class ConfigCommands
{
    private const string ServerUrl = "server_url";
    private const string ApiKey = "api_key";

    public static Command Create(CommandBinder binder) => new("config", "Shows which server the commands go to, and changes it.")
    {
        CreateShow(binder),
        CreateGet(binder),
        CreateSet(binder),
        CreateUnset(binder),
    };

    private static Command CreateShow(CommandBinder binder) =>
        binder.Bind(new Command("show", "Shows what the commands use, wherever it comes from. The key is not shown."), (context, _) =>
        {
            var line = new ConfigLine(context.Store.Path, ServerAddress.Show(context.ServerUrl), context.ApiKey is not null);
            context.Output.Say($"File:    {line.Path}");
            context.Output.Say($"Server:  {line.ServerUrl}");
            context.Output.Say($"API key: {(line.ApiKey ? "set" : "none")}");
            context.Output.ResultForPrograms(line);
            return Task.FromResult(ExitCodes.Ok);
        });

    private static Command CreateGet(CommandBinder binder)
    {
        var name = NameArgument();
        return binder.Bind(new Command("get", "Prints a value of the file.") { name }, (context, _) =>
        {
            var wanted = context.Parse.GetRequiredValue(name);
            var value = wanted == ApiKey ? context.Config.ApiKey : context.Config.ServerUrl;

            if (value is null)
            {
                throw new CliException($"{wanted} is not set in {context.Store.Path}");
            }

            context.Output.Out.WriteLine(value);
            return Task.FromResult(ExitCodes.Ok);
        });
    }

    private static Command CreateSet(CommandBinder binder)
    {
        var name = NameArgument();
        var value = new Argument<string>("value") { Description = "The value; - reads it from standard input, as a key should be." };
        return binder.Bind(new Command("set", "Writes a value into the file.") { name, value }, async (context, cancellationToken) =>
        {
            var wanted = context.Parse.GetRequiredValue(name);
            var given = context.Parse.GetRequiredValue(value);
            var text = (given == "-" ? await context.Host.In.ReadToEndAsync(cancellationToken) : given).Trim();

            if (text.Length == 0)
            {
                throw new CliException("The value is empty. Remove one with: ash config unset", ExitCodes.Usage);
            }

            context.Store.Write(wanted == ApiKey
                ? context.Config with { ApiKey = text }
                : context.Config with { ServerUrl = ServerAddress.Show(ServerAddress.Parse(text)) });
            context.Output.Say($"{wanted} is set in {context.Store.Path}");
            return ExitCodes.Ok;
        });
    }

    private static Command CreateUnset(CommandBinder binder)
    {
        var name = NameArgument();
        return binder.Bind(new Command("unset", "Removes a value from the file.") { name }, (context, _) =>
        {
            var wanted = context.Parse.GetRequiredValue(name);
            context.Store.Write(wanted == ApiKey ? context.Config with { ApiKey = null } : context.Config with { ServerUrl = null });
            context.Output.Say($"{wanted} is not set in {context.Store.Path}");
            return Task.FromResult(ExitCodes.Ok);
        });
    }

    private static Argument<string> NameArgument()
    {
        var name = new Argument<string>("name") { Description = "server_url or api_key." };
        name.AcceptOnlyFromAmong(ServerUrl, ApiKey);
        return name;
    }
}
