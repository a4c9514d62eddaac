using Ash.Protocol.Api;
using Ash.Server.Http;

namespace Ash.Server.Sessions;

/// <summary>The owner of one session. It takes commands and hands them to the session's runtime beside it.</summary>
/// <remarks>No line of a turn travels in a call of it, and none of its methods waits for a turn to complete.</remarks>
internal interface ISessionGrain : IGrainWithGuidKey
{
    /// <summary>Brings the session's runtime up, with whatever an earlier server left; harmless when it is up.</summary>
    Task ActivateAsync();

    /// <summary>Lets go of a session that nothing happens in; its next call brings it back.</summary>
    Task ReleaseAsync();

    /// <summary>Starts the sandbox of a new session; null once it is active, else why not.</summary>
    Task<Problem?> StartAsync();

    Task<SubmitMessage.Outcome> SubmitAsync(SubmitMessage message);

    Task<Interruption> InterruptAsync();

    /// <summary>Changes how the agent works from the next turn on.</summary>
    /// <param name="change">JSON of an <see cref="UpdateSessionConfigRequest"/> that was checked.</param>
    Task<Problem?> ConfigureAsync(string change);

    /// <summary>Makes a session that goes on from where this one is.</summary>
    /// <param name="key">The client's key, or null.</param>
    Task<ForkSession> ForkAsync(IdempotencyKey? key);

    /// <returns>Null once it is paused.</returns>
    Task<Problem?> PauseAsync();

    Task<Problem?> StopAsync();

    Task<Problem?> ResumeAsync();

    /// <summary>Ends the session; with <paramref name="purge"/> nothing of it is kept.</summary>
    Task<Problem?> EndAsync(bool purge);

    Task<ExecAnswer> ExecAsync(string command, int timeoutMs, CancellationToken cancellationToken);
}

[GenerateSerializer, Immutable]
internal sealed record Interruption([property: Id(0)] bool Interrupted, [property: Id(1)] Guid? TurnId, [property: Id(2)] Problem? Problem);

/// <summary>Either an outcome or a problem.</summary>
[GenerateSerializer, Immutable]
internal sealed record ExecAnswer(
    [property: Id(0)] int ExitCode,
    [property: Id(1)] string Stdout,
    [property: Id(2)] string Stderr,
    [property: Id(3)] bool TimedOut,
    [property: Id(4)] bool Truncated,
    [property: Id(5)] Problem? Problem)
{
    public static ExecAnswer From(ExecResult? result, Problem? problem) => result is null
        ? new ExecAnswer(0, string.Empty, string.Empty, false, false, problem)
        : new ExecAnswer(result.ExitCode, result.Stdout, result.Stderr, result.TimedOut, result.Truncated, null);
}
