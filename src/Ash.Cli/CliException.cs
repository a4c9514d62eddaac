namespace Ash.Cli;

/// <summary>Ends the command with a line for the user, which names the remedy, and an exit code.</summary>
internal sealed class CliException(string message, int exitCode = ExitCodes.Failed) : Exception(message)
{
    public int ExitCode => exitCode;
}
