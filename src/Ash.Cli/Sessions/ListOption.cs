using System.CommandLine;

namespace Ash.Cli.Sessions;

/// <summary>An option that is given once for each entry of a list.</summary>
internal static class ListOption
{
    public static Option<string[]> Create(string name, string description, string helpName) =>
        new(name) { Description = $"{description} Once for each.", HelpName = helpName, Arity = ArgumentArity.OneOrMore };

    /// <summary>Null where the option is absent; an empty value adds nothing, so that a list can be emptied.</summary>
    public static IReadOnlyList<string>? Read(ParseResult parse, Option<string[]> option) =>
        parse.GetResult(option) is null ? null : [.. (parse.GetValue(option) ?? []).Where(entry => entry.Length > 0)];
}
