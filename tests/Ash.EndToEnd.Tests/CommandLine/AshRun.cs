namespace Ash.EndToEnd.Tests.CommandLine;

/// <summary>What a command that has ended left behind.</summary>
internal sealed record AshRun(int ExitCode, string Out, string Error);
