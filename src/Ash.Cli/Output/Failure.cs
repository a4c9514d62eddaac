using Ash.Client;

namespace Ash.Cli.Output;

/// <summary>What the user is told when a command fails.</summary>
/// <param name="Refusal">The server's answer, where it was one.</param>
internal sealed record Failure(string Message, int ExitCode, AshApiException? Refusal = null);
