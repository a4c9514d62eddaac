namespace Ash.Cli.Tests;

/// <summary>What a run of the command gave.</summary>
internal sealed record CliRun(int ExitCode, string Out, string Error);
