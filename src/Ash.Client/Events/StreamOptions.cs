namespace Ash.Client.Events;

/// <summary>Which part of a session's log a stream shows.</summary>
public sealed record StreamOptions
{
    /// <summary>In <see cref="After"/>: only what is new.</summary>
    public const string Latest = "latest";

    /// <summary>
    /// The id of the last event that is known; null begins with the first. With <see cref="Latest"/>, what happens during a
    /// break before the first event was read is not seen.
    /// </summary>
    public string? After { get; init; }

    /// <summary>Only this turn; the stream ends with its <c>done</c>.</summary>
    public Guid? Turn { get; init; }

    /// <summary>Whether pieces of the model's text are shown, besides the whole messages.</summary>
    public bool Partial { get; init; } = true;

    /// <summary>Whether facts of the session's life are shown, as <c>lifecycle</c> events.</summary>
    public bool Lifecycle { get; init; } = true;

    /// <summary>Ends the stream as soon as no turn runs or waits. Otherwise it stays open for what comes.</summary>
    public bool UntilIdle { get; init; }
}
