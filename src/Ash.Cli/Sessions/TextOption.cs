using System.CommandLine;

namespace Ash.Cli.Sessions;

/// <summary>A text that is written out, or read from a file.</summary>
internal static class TextOption
{
    /// <summary>Null where neither is given.</summary>
    /// <exception cref="CliException">Both are.</exception>
    public static async Task<string?> ReadAsync(
        ParseResult parse, Option<string?> text, Option<string?> file, CancellationToken cancellationToken) =>
        (parse.GetValue(text), parse.GetValue(file)) switch
        {
            ({ } given, null) => given,
            (null, { } path) => await File.ReadAllTextAsync(path, cancellationToken),
            (null, null) => null,
            _ => throw new CliException($"{text.Name} and {file.Name} exclude each other.", ExitCodes.Usage),
        };
}
