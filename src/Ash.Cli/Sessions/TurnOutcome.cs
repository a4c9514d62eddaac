using Ash.Client.Events;

namespace Ash.Cli.Sessions;

/// <summary>Learns from a turn's events how it ended.</summary>
internal sealed class TurnOutcome
{
    private TurnError? error;
    private Done? done;

    /// <summary>Why the turn brought no answer; null where it did.</summary>
    public string? Failure => (error, done?.Reason) switch
    {
        ({ Code: { } code } told, _) => $"Error: {told.Error} ({code})",
        ({ } told, _) => $"Error: {told.Error}",
        (null, null or "completed") => null,
        (null, var reason) => $"The turn ended: {reason}",
    };

    public void See(AshEvent read)
    {
        switch (read.Name)
        {
            case EventNames.Error:
                error = read.Body as TurnError ?? error;
                break;
            case EventNames.Done:
                done = read.Body as Done ?? done;
                break;
        }
    }
}
