using System.CommandLine;

namespace Ash.Cli.Agents;

/// <summary><c>-e KEY=VALUE</c>, as often as wanted.</summary>
internal static class EnvOption
{
    public static Option<string[]> Create(string description) => new("--env", "-e")
    {
        Description = description,
        HelpName = "KEY=VALUE",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    /// <exception cref="CliException">One is not of the form.</exception>
    public static Dictionary<string, string> Read(ParseResult parse, Option<string[]> option) => Read(parse.GetValue(option) ?? []);

    /// <inheritdoc cref="Read(ParseResult, Option{string[]})"/>
    public static Dictionary<string, string> Read(IEnumerable<string> assignments)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);

        foreach (var assignment in assignments)
        {
            var equals = assignment.IndexOf('=', StringComparison.Ordinal);

            if (equals <= 0)
            {
                throw new CliException($"Invalid env format: \"{assignment}\" — expected KEY=VALUE", ExitCodes.Usage);
            }

            variables[assignment[..equals]] = assignment[(equals + 1)..];
        }

        return variables;
    }
}
