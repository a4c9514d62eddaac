namespace Ash.Cli.Sessions;

/// <summary>What is said, on the command line or on standard input.</summary>
internal static class MessageText
{
    /// <param name="given">The argument; <c>-</c> or null reads standard input to its end.</param>
    /// <exception cref="CliException">There is nothing in it.</exception>
    public static async Task<string> ReadAsync(CliHost host, string? given, CancellationToken cancellationToken)
    {
        var text = given is null or "-" ? await host.In.ReadToEndAsync(cancellationToken) : given;
        return string.IsNullOrWhiteSpace(text) ? throw new CliException("The message is empty.", ExitCodes.Usage) : text;
    }
}
