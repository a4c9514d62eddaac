using System.CommandLine;
using System.Reflection;

namespace Ash.Cli.Completion;

/// <summary><c>ash completion</c>: scripts that let a shell complete commands and options, by asking <c>ash</c>.</summary>
internal static class CompletionCommand
{
    public static Command Create(CommandBinder binder)
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new ExplainedCommand(
            "completion",
            "Prints a script that lets a shell complete commands and options.",
            "eval \"$(ash completion bash)\"           in ~/.bashrc",
            "eval \"$(ash completion zsh)\"            in ~/.zshrc, after compinit",
            "ash completion fish | source            in ~/.config/fish/config.fish")
        {
            shell,
        };

        return binder.Bind(command, (context, _) =>
        {
            context.Output.Out.Write(Read(context.Parse.GetRequiredValue(shell)));
            return Task.FromResult(ExitCodes.Ok);
        });
    }

    private static string Read(string shell)
    {
        // The project file embeds them.
        using var script = Assembly.GetExecutingAssembly().GetManifestResourceStream($"completion.{shell}")!;
        using var reader = new StreamReader(script);
        return reader.ReadToEnd();
    }
}
