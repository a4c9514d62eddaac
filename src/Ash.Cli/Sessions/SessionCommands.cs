using System.CommandLine;
using Ash.Cli.Agents;
using Ash.Client;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session …</c>.</summary>
internal static class SessionCommands
{
    public static Command Create(CommandBinder binder) => new("session", "Makes sessions, and talks to them.")
    {
        CreateCreate(binder),
        SendCommand.Create(binder),
        CreateList(binder),
        CreateGet(binder),
        CreateAct(binder, "pause", "Sets a session aside. The next message wakes it.", "Session paused: ", (sessions, id, token) => sessions.PauseAsync(id, token)),
        CreateAct(binder, "resume", "Makes a session ready ahead of its next message.", "Session resumed: ", (sessions, id, token) => sessions.ResumeAsync(id, token)),
        CreateAct(binder, "stop", "Stops a session until it is resumed.", "Session stopped: ", (sessions, id, token) => sessions.StopAsync(id, token)),
        CreateInterrupt(binder),
        ExecCommand.Create(binder),
        FileCommands.CreateFiles(binder),
        FileCommands.CreateWrite(binder),
        WorkspaceCommands.CreateDownload(binder),
        WorkspaceCommands.CreateUpload(binder),
        CreateEnd(binder),
    };

    private static Command CreateCreate(CommandBinder binder)
    {
        var agent = new Argument<string>("agent") { Description = "The agent's name." };
        var env = EnvOption.Create("Sets a variable of the session's sandbox, over the agent's.");
        var model = new Option<string?>("--model") { Description = "The model of the session's messages.", HelpName = "model" };
        var credential = new Option<string?>("--credential")
        {
            Description = "A credential: one of the model's own API is used for its model calls.", HelpName = "id",
        };
        var expose = new Option<bool>("--expose-credential")
        {
            Description = "Puts the credential into the sandbox's environment, where the agent can read it.",
        };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Prints the session's id alone." };
        var command = new Command("create", "Makes a session with an agent.") { agent, env, model, credential, expose, quiet };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var variables = EnvOption.Read(context.Parse, env);
            var request = new CreateSessionRequest
            {
                Agent = context.Parse.GetRequiredValue(agent),
                Model = context.Parse.GetValue(model),
                ExtraEnv = variables.Count > 0 ? variables : null,
                CredentialId = context.Parse.GetValue(credential),
                ExposeCredential = context.Parse.GetValue(expose) ? true : null,
            };
            var session = await context.Client.Sessions.CreateAsync(request, cancellationToken: cancellationToken);

            if (context.Parse.GetValue(quiet))
            {
                context.Output.Out.WriteLine(session.Id);
            }
            else
            {
                context.Output.Result(session, "Session created: ");
            }

            return ExitCodes.Ok;
        });
    }

    private static Command CreateList(CommandBinder binder)
    {
        var agent = new Option<string?>("--agent") { Description = "Only sessions with this agent.", HelpName = "name" };
        var limit = new Option<int?>("--limit") { Description = "At most so many, 1 to 1000.", HelpName = "count" };
        return binder.Bind(new Command("list", "Lists sessions, the newest first.") { agent, limit }, async (context, cancellationToken) =>
        {
            context.Output.Result(await context.Client.Sessions.ListAsync(
                context.Parse.GetValue(agent), context.Parse.GetValue(limit), cancellationToken: cancellationToken));
            return ExitCodes.Ok;
        });
    }

    private static Command CreateGet(CommandBinder binder)
    {
        var id = SessionId.Argument();
        return binder.Bind(new Command("get", "Shows a session.") { id }, async (context, cancellationToken) =>
        {
            context.Output.Result(await context.Client.Sessions.GetAsync(context.Parse.GetValue(id), cancellationToken));
            return ExitCodes.Ok;
        });
    }

    private static Command CreateAct(
        CommandBinder binder,
        string verb,
        string description,
        string label,
        Func<SessionsClient, Guid, CancellationToken, Task<SessionInfo>> act)
    {
        var id = SessionId.Argument();
        return binder.Bind(new Command(verb, description) { id }, async (context, cancellationToken) =>
        {
            context.Output.Result(await act(context.Client.Sessions, context.Parse.GetValue(id), cancellationToken), label);
            return ExitCodes.Ok;
        });
    }

    private static Command CreateInterrupt(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var command = new Command("interrupt", "Ends the turn that runs. The session goes on.") { id };
        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var result = await context.Client.Sessions.InterruptAsync(context.Parse.GetValue(id), cancellationToken);
            context.Output.Say(result.Interrupted ? $"Turn interrupted: {result.TurnId}" : "No turn was running.");
            context.Output.ResultForPrograms(result);
            return ExitCodes.Ok;
        });
    }

    private static Command CreateEnd(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var purge = new Option<bool>("--purge") { Description = "Also removes its files and its history, at once." };
        return binder.Bind(new Command("end", "Ends a session for ever.") { id, purge }, async (context, cancellationToken) =>
        {
            context.Output.Result(
                await context.Client.Sessions.EndAsync(
                    context.Parse.GetValue(id), context.Parse.GetValue(purge), cancellationToken),
                "Session ended: ");
            return ExitCodes.Ok;
        });
    }
}
