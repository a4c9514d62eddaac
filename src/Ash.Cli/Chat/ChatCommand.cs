using System.CommandLine;
using Ash.Cli.Agents;
using Ash.Cli.Sessions;
using Ash.Protocol.Api;

namespace Ash.Cli.Chat;

/// <summary><c>ash chat</c>.</summary>
internal static class ChatCommand
{
    public static Command Create(CommandBinder binder)
    {
        var agent = new Argument<string>("agent") { Description = "The agent's name." };
        var message = new Argument<string?>("message")
        {
            Description = "What to say. Where absent, or -, it is read from standard input; on a terminal the conversation goes on until Ctrl-D.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var session = SessionId.Option();
        var end = new Option<bool>("--end") { Description = "Ends the session afterwards." };
        var env = EnvOption.Create("Sets a variable of a new session's sandbox, over the agent's.");
        var credential = new Option<string?>("--credential") { Description = "A credential of a new session.", HelpName = "id" };
        var options = new MessageOptions();
        var command = new ExplainedCommand(
            "chat",
            "Talks with an agent, in a new session or in one that is there.",
            "ash chat greeter                        a conversation; Ctrl-C interrupts the answer",
            "ash chat greeter \"What can you do?\"      one message, and its answer on standard output",
            "git diff | ash chat reviewer            what is piped in is the message",
            "ash chat greeter -s ID \"And then?\"       goes on with a session")
        {
            agent, message, session, end, env, credential,
        };
        options.AddTo(command);

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var request = options.Read(context.Parse);
            var given = context.Parse.GetValue(message);
            var isConversation = given is null && context.Host.InIsTerminal;

            if (isConversation && (context.Output.IsJson || !context.Output.IsTerminal))
            {
                throw new CliException("Say what to say: a conversation needs a terminal for its output, too.", ExitCodes.Usage);
            }

            var text = isConversation ? "" : await MessageText.ReadAsync(context.Host, given, cancellationToken);
            var variables = EnvOption.Read(context.Parse, env);
            var talk = new Talk(context, context.Parse.GetRequiredValue(agent), request, context.Parse.GetValue(end));

            await talk.OpenAsync(
                context.Parse.GetValue(session),
                new CreateSessionRequest
                {
                    Agent = talk.Agent,
                    Model = request.Model,
                    ExtraEnv = variables.Count > 0 ? variables : null,
                    CredentialId = context.Parse.GetValue(credential),
                },
                cancellationToken);

            try
            {
                return isConversation
                    ? await new Conversation(context, talk).RunAsync(cancellationToken)
                    : await talk.SayOnceAsync(text, cancellationToken);
            }
            finally
            {
                await talk.CloseAsync(isConversation);
            }
        });
    }
}
