using System.Net;
using Ash.Cli.Output;
using Ash.Cli.Sessions;
using Ash.Client;

namespace Ash.Cli.Chat;

/// <summary>A person and an agent take turns, on a terminal.</summary>
/// <remarks>
/// Ctrl-C interrupts the turn that runs, or drops what is typed; twice it leaves, as Ctrl-D does. What goes wrong with a turn is
/// said, and the conversation goes on.
/// </remarks>
internal sealed class Conversation(CommandContext context, Talk talk)
{
    private const string Prompt = "> ";

    // A read of the terminal cannot be called off: after Ctrl-C it is the next prompt's.
    private Task<string?>? _reading;

    private CliOutput Output => context.Output;

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        Output.Note($"{talk.Agent}, session {talk.Session}. Ctrl-C interrupts, Ctrl-D leaves; \\ at the end of a line begins another.");

        if (talk.IsBusy)
        {
            Output.Note("A turn runs in it. What you say waits for its own.");
        }

        while (await AskAsync(cancellationToken) is { } text)
        {
            if (text.Trim() is "/exit" or "/quit")
            {
                break;
            }

            if (!string.IsNullOrWhiteSpace(text) && !await AnswerAsync(text, cancellationToken))
            {
                break;
            }
        }

        return ExitCodes.Ok;
    }

    /// <summary>What the person says; null where they leave.</summary>
    private async Task<string?> AskAsync(CancellationToken cancellationToken)
    {
        for (var isSecond = false; ; isSecond = true)
        {
            var pressed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

            using (context.Host.Interrupts.Take(() => pressed.TrySetResult()))
            {
                Output.Out.Write(Output.Painted(Prompt, Colour.Strong));
                Output.Out.Flush();
                _reading ??= Task.Run(context.Host.ReadMessage, CancellationToken.None);
                await Task.WhenAny(_reading, pressed.Task).WaitAsync(cancellationToken);
            }

            if (!pressed.Task.IsCompleted)
            {
                var text = await _reading;
                _reading = null;

                if (text is null)
                {
                    Output.Out.WriteLine();
                }

                return text;
            }

            Output.Out.WriteLine();

            if (isSecond)
            {
                return null;
            }

            Output.Note("Ctrl-C again leaves, and so does Ctrl-D.");
        }
    }

    /// <summary>Shows a turn. False where the person leaves amid it.</summary>
    private async Task<bool> AnswerAsync(string text, CancellationToken cancellationToken)
    {
        var (turn, message) = talk.Begin(text);
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var interruption = new Interruption(turn, left);

        try
        {
            TurnOutcome outcome;

            using (context.Host.Interrupts.Take(interruption.Press))
            {
                outcome = await turn.SendAsync(message, left.Token);
            }

            if (await interruption.SucceededAsync())
            {
                Output.Note("Turn interrupted.");
            }
            else if (outcome.Failure is { } failure)
            {
                Output.Failure(new Failure(failure, ExitCodes.TurnNotCompleted));
            }

            return true;
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            Output.Note("The turn may go on.");
            return false;
        }
        catch (AshException failure)
            when (failure is not AshApiException { StatusCode: HttpStatusCode.NotFound or HttpStatusCode.Gone or HttpStatusCode.Unauthorized })
        {
            // Another message may fare better; those answers, no other message changes.
            Output.Failure(Failures.Describe(failure)!); // An AshException is described.
            return true;
        }
    }

    /// <summary>Ctrl-C amid a turn: at first it interrupts the turn, then it leaves.</summary>
    private sealed class Interruption(TurnRun turn, CancellationTokenSource left)
    {
        private Task<bool?>? _asked;

        public void Press()
        {
            // Pressed before the turn ran, it has done nothing yet.
            if (_asked is null or { IsCompletedSuccessfully: true, Result: false })
            {
                _asked = Task.Run(turn.InterruptAsync, CancellationToken.None);
            }
            else
            {
                left.Cancel();
            }
        }

        public async Task<bool> SucceededAsync() => _asked is not null && await _asked == true;
    }
}
