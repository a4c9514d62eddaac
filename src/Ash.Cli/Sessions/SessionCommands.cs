using System.CommandLine;
using Ash.Cli.Output;
using Ash.Client;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session …</c>.</summary>
internal static class SessionCommands
{
    private static readonly Table<SessionInfo> Table = new(
        new("ID", session => $"{session.Id}"),
        new("AGENT", session => session.AgentName),
        new("STATUS", session => session.Turn is null ? session.Status : $"{session.Status}, works", Colour: ColourOf),
        new("MODEL", session => session.Model ?? ""),
        new("LAST ACTIVE", session => Display.Time(session.LastActiveAt)),
        new("CREATED", session => Display.Time(session.CreatedAt)));

    public static Command Create(CommandBinder binder) => new("session", "Makes sessions, and talks to them.")
    {
        CreateCreate(binder),
        SendCommand.Create(binder),
        CreateList(binder),
        CreateInfo(binder),
        CreateConfig(binder),
        CreateAct(
            binder, "pause", "Sets a session aside. The next message wakes it.", "Session paused: ",
            (sessions, id, token) => sessions.PauseAsync(id, token)),
        CreateAct(
            binder, "resume", "Makes a session ready ahead of its next message.", "Session resumed: ",
            (sessions, id, token) => sessions.ResumeAsync(id, token)),
        CreateAct(
            binder, "stop", "Stops a session until it is resumed.", "Session stopped: ",
            (sessions, id, token) => sessions.StopAsync(id, token)),
        CreateInterrupt(binder),
        CreateFork(binder),
        TailCommand.Create(binder),
        HistoryCommands.CreateMessages(binder),
        HistoryCommands.CreateEvents(binder),
        HistoryCommands.CreateLogs(binder),
        ExecCommand.Create(binder),
        FileCommands.CreateFiles(binder),
        FileCommands.CreateRead(binder),
        FileCommands.CreateWrite(binder),
        FileCommands.CreateRemove(binder),
        AttachmentCommands.CreateList(binder),
        AttachmentCommands.CreateAttach(binder),
        AttachmentCommands.CreateDetach(binder),
        WorkspaceCommands.CreateDownload(binder),
        WorkspaceCommands.CreateUpload(binder),
        CreateEnd(binder),
    };

    private static Colour? ColourOf(SessionInfo session) => session.Status switch
    {
        "active" => Colour.Good,
        "error" => Colour.Bad,
        "ended" or "stopped" => Colour.Dim,
        _ => null,
    };

    private static Command CreateCreate(CommandBinder binder)
    {
        var agent = new Argument<string>("agent") { Description = "The agent's name." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Prints the session's id alone." };
        var options = new CreateOptions();
        var command = new Command("create", "Makes a session with an agent.") { agent, quiet };
        options.AddTo(command);

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var request = await options.ReadAsync(context.Parse, context.Parse.GetRequiredValue(agent), cancellationToken);
            var session = await context.Output.WaitAsync(
                "Making a session", context.Client.Sessions.CreateAsync(request, cancellationToken: cancellationToken));
            Print(context, session, context.Parse.GetValue(quiet), "Session created: ");
            return ExitCodes.Ok;
        });
    }

    private static Command CreateList(CommandBinder binder)
    {
        var agent = new Option<string?>("--agent") { Description = "Only sessions with this agent.", HelpName = "name" };
        var status = new Option<string?>("--status") { Description = "Only sessions of this status.", HelpName = "status" };
        status.AcceptOnlyFromAmong("starting", "active", "paused", "stopped", "error", "ended");
        var limit = new Option<int?>("--limit") { Description = "At most so many, 1 to 1000.", HelpName = "count" };
        var offset = new Option<int>("--offset") { Description = "Leaves out so many of the newest.", HelpName = "count" };
        var command = new Command("list", "Lists sessions, the newest first.") { agent, status, limit, offset };
        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var sessions = await context.Client.Sessions.ListAsync(
                context.Parse.GetValue(agent),
                context.Parse.GetValue(limit),
                context.Parse.GetValue(offset),
                context.Parse.GetValue(status),
                cancellationToken);
            context.Output.List(sessions, Table);
            return ExitCodes.Ok;
        });
    }

    private static Command CreateInfo(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var command = new Command("info", "Shows a session.") { id };
        command.Aliases.Add("get");
        return binder.Bind(command, async (context, cancellationToken) =>
        {
            context.Output.Result(await context.Client.Sessions.GetAsync(context.Parse.GetValue(id), cancellationToken));
            return ExitCodes.Ok;
        });
    }

    private static Command CreateConfig(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var options = new ConfigOptions();
        var command = new Command("config", "Shows how a session works, or changes that from its next turn on.") { id };
        options.AddTo(command);

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var session = context.Parse.GetValue(id);

            if (options.Read(context.Parse) is { } changes)
            {
                context.Output.Result(
                    await context.Client.Sessions.ConfigureAsync(session, changes, cancellationToken), "Session changed: ");
            }
            else
            {
                var found = await context.Client.Sessions.GetAsync(session, cancellationToken);
                context.Output.Result(new SessionConfigLine(found.Model, found.Config));
            }

            return ExitCodes.Ok;
        });
    }

    private static Command CreateFork(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Prints the new session's id alone." };
        var command = new Command("fork", "Makes a session that goes on from where another is, with a copy of its files.") { id, quiet };
        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var session = await context.Output.WaitAsync(
                "Copying the session", context.Client.Sessions.ForkAsync(context.Parse.GetValue(id), cancellationToken));
            Print(context, session, context.Parse.GetValue(quiet), "Session forked: ");
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
            var task = act(context.Client.Sessions, context.Parse.GetValue(id), cancellationToken);
            context.Output.Result(await context.Output.WaitAsync("Waiting for the session", task), label);
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
        var command = new Command("end", "Ends a session for ever.") { id, purge };
        command.Aliases.Add("delete");
        return binder.Bind(command, async (context, cancellationToken) =>
        {
            context.Output.Result(
                await context.Client.Sessions.EndAsync(
                    context.Parse.GetValue(id), context.Parse.GetValue(purge), cancellationToken),
                "Session ended: ");
            return ExitCodes.Ok;
        });
    }

    private static void Print(CommandContext context, SessionInfo session, bool quiet, string label)
    {
        if (quiet)
        {
            context.Output.Out.WriteLine(session.Id);
        }
        else
        {
            context.Output.Result(session, label);
        }
    }
}
