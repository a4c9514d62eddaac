namespace Ash.Cli;

/// <summary>What the exit code of <c>ash</c> says. <c>ash session exec</c> exits with the command's own.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>The server, or this machine, reported a failure.</summary>
    public const int Failed = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int Usage = 2;

    /// <summary>There is no such agent or session.</summary>
    public const int NotFound = 3;

    /// <summary>The API key is missing, wrong, or may not do this.</summary>
    public const int Unauthorised = 4;

    /// <summary>No server runs, or none answers.</summary>
    public const int NoServer = 5;

    /// <summary>The turn ended, but not with an answer: interrupted, model error, sandbox lost …</summary>
    public const int TurnNotCompleted = 6;

    /// <summary>Ctrl-C.</summary>
    public const int Cancelled = 130;
}
