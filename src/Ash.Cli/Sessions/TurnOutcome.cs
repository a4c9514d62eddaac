using Ash.Client.Events;

namespace Ash.Cli.Sessions;

/// <summary>Learns from a turn's events how it ended.</summary>
internal sealed class TurnOutcome
{
    private TurnError? _error;
    private Done? _done;

    /// <summary>Why the turn brought no answer; null where it did.</summary>
    public string? Failure => (_error, _done?.Reason) switch
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
                _error = read.Body as TurnError ?? _error;
                break;
            case EventNames.Done:
                _done = read.Body as Done ?? _done;
                break;
        }
    }
}
