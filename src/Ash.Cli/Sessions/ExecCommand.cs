using System.CommandLine;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session exec</c>.</summary>
internal static class ExecCommand
{
    public static Command Create(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var words = new Argument<string[]>("command")
        {
            Description = "For sh -c in the session's workspace. Words are joined; put -- before words that begin with a hyphen.",
            Arity = ArgumentArity.OneOrMore,
        };
        var timeout = new Option<int>("--timeout")
        {
            Description = "Milliseconds after which the command is ended, at most 300000.",
            DefaultValueFactory = _ => 30_000,
            HelpName = "ms",
        };
        var command = new Command("exec", "Runs a command in a session's sandbox, and exits as it does.") { id, words, timeout };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var request = new ExecRequest
            {
                Command = string.Join(' ', context.Parse.GetRequiredValue(words)),
                Timeout = context.Parse.GetValue(timeout),
            };
            var result = await context.Client.Sessions.ExecAsync(context.Parse.GetValue(id), request, cancellationToken);

            if (context.Output.IsJson)
            {
                context.Output.Result(result);
                return result.ExitCode;
            }

            await context.Host.Out.WriteAsync(result.Stdout.AsMemory(), cancellationToken);
            await context.Host.Error.WriteAsync(result.Stderr.AsMemory(), cancellationToken);

            if (result.TimedOut)
            {
                context.Output.Note($"The command was ended after {request.Timeout} ms. Give it longer with --timeout.");
            }

            if (result.Truncated)
            {
                context.Output.Note("The output was longer than 10 MB and is cut.");
            }

            return result.ExitCode;
        });
    }
}
