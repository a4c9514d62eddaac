using System.CommandLine;
using Ash.Cli.Output;

namespace Ash.Cli.Links;

/// <summary><c>ash link</c> and <c>ash unlink</c>.</summary>
internal static class LinkCommands
{
    public static Command CreateLink(CommandBinder binder)
    {
        var url = new Argument<string>("url") { Description = "The server's URL." };
        var command = new Command("link", "Lets commands go to another server. Its key is given by --api-key.") { url };

        return binder.Bind(command, (context, _) =>
        {
            var address = ServerAddress.Show(ServerAddress.Parse(context.Parse.GetRequiredValue(url)));
            var key = context.Parse.GetValue(binder.Options.ApiKey);
            var config = context.Config;

            context.Store.Write(config with
            {
                ServerUrl = address,
                ApiKey = key,
                LocalApiKey = config.ServerUrl is null ? config.ApiKey : config.LocalApiKey,
            });
            context.Output.Say($"Linked to {address}");

            if (key is null)
            {
                context.Output.Say($"No API key is saved for it. Set ASH_API_KEY, or run: ash link {address} --api-key KEY");
            }

            context.Output.ResultForPrograms(new LinkLine(address));
            return Task.FromResult(ExitCodes.Ok);
        });
    }

    public static Command CreateUnlink(CommandBinder binder) =>
        binder.Bind(new Command("unlink", "Lets commands go to this machine's server again."), (context, _) =>
        {
            var config = context.Config;

            if (config.ServerUrl is null)
            {
                context.Output.Say("No remote server was linked.");
            }
            else
            {
                context.Store.Write(config with { ServerUrl = null, ApiKey = config.LocalApiKey, LocalApiKey = null });
                context.Output.Say($"Unlinked from {config.ServerUrl}");
            }

            context.Output.Say($"CLI will now target {ServerAddress.Default}");
            context.Output.ResultForPrograms(new LinkLine(ServerAddress.Default));
            return Task.FromResult(ExitCodes.Ok);
        });
}
