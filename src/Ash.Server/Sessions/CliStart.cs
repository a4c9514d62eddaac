namespace Ash.Server.Sessions;

/// <summary>How a process of the CLI is to be started, so that it knows the whole conversation.</summary>
/// <param name="Resumes">There is a transcript to go on from.</param>
/// <param name="GoesOnWith">The turn whose text ends the transcript: it is taken up again, not sent again.</param>
/// <param name="Forgotten">What the transcript lacks, in order.</param>
internal sealed record CliStart(bool Resumes, Guid? GoesOnWith, Queue<ForgottenLine> Forgotten)
{
    /// <summary>Of a conversation that has not begun.</summary>
    public static CliStart Fresh => new(Resumes: false, GoesOnWith: null, []);
}

/// <summary>A part of the conversation that a killed process did not write down.</summary>
/// <param name="Id">The turn's id for its text; the CLI's own for what it said then.</param>
/// <param name="Line">The line that tells it to a process.</param>
/// <param name="HasResult">Whether the CLI takes it with a result, which is to be awaited.</param>
internal readonly record struct ForgottenLine(Guid Id, byte[] Line, bool HasResult);
