using Ash.Cli.Sessions;
using Ash.Client;
using Ash.Protocol.Api;

namespace Ash.Cli.Chat;

/// <summary>The session that a chat takes place in.</summary>
/// <param name="message">What every message has but its text.</param>
/// <param name="end">Whether the session ends with the chat.</param>
internal sealed class Talk(CommandContext context, string agent, SendMessageRequest message, bool end)
{
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(10);

    public string Agent => agent;

    public Guid Session { get; private set; }

    /// <summary>Whether a turn ran in it when the chat began.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>Takes a session, or makes one.</summary>
    /// <exception cref="CliException">The session is another agent's.</exception>
    public async Task OpenAsync(Guid? given, CreateSessionRequest create, CancellationToken cancellationToken)
    {
        if (given is not { } id)
        {
            var made = await context.Output.WaitAsync(
                "Making a session", context.Client.Sessions.CreateAsync(create, cancellationToken: cancellationToken));
            Session = made.Id;
            return;
        }

        var found = await context.Client.Sessions.GetAsync(id, cancellationToken);

        if (found.AgentName != agent)
        {
            throw new CliException($"Session {id} is one of the agent {found.AgentName}: ash chat {found.AgentName} -s {id}", ExitCodes.Usage);
        }

        Session = id;
        IsBusy = found.Turn is not null;
    }

    /// <summary>Says one thing. The standard output has the answer's text, and nothing else.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> SayOnceAsync(string text, CancellationToken cancellationToken)
    {
        ITurnWriter writer = context.Output.IsJson
            ? new TurnJsonWriter(context.Host.Out)
            : new TurnTextWriter(context.Output, notesApart: true);
        return new TurnRun(context, Session, writer).SendOnceAsync(MessageOptions.WithText(message, text), cancellationToken);
    }

    public (TurnRun Turn, SendMessageRequest Message) Begin(string text) =>
        (new TurnRun(context, Session, new TurnTextWriter(context.Output)), MessageOptions.WithText(message, text));

    /// <summary>Ends the session where that was asked for, or says how to go on with it.</summary>
    public async Task CloseAsync(bool isConversation)
    {
        if (!end)
        {
            context.Output.Note($"Session: {Session}");

            if (isConversation)
            {
                context.Output.Note($"Go on with: ash chat {agent} -s {Session}");
            }

            return;
        }

        // The command's own token may be cancelled already.
        using var time = new CancellationTokenSource(EndTime, context.Host.Clock);

        try
        {
            await context.Client.Sessions.EndAsync(Session, purge: false, time.Token);
        }
        catch (Exception failure) when (failure is AshException or OperationCanceledException)
        {
            context.Output.Note($"The session goes on: it could not be ended. Try: ash session end {Session}");
        }
    }
}
