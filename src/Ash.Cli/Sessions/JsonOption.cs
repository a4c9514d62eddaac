using System.CommandLine;
using System.Text.Json;

namespace Ash.Cli.Sessions;

/// <summary>An option whose value is JSON: written out, or a file that holds it.</summary>
internal static class JsonOption
{
    public static Option<string?> Create(string name, string description) =>
        new(name) { Description = $"{description} JSON, or the path of a file that holds it.", HelpName = "json|file" };

    /// <exception cref="CliException">It is neither.</exception>
    public static JsonElement? Read(ParseResult parse, Option<string?> option)
    {
        if (parse.GetValue(option) is not { } given)
        {
            return null;
        }

        var isWrittenOut = given.AsSpan().TrimStart() is ['{' or '[', ..];

        if (!isWrittenOut && !File.Exists(given))
        {
            throw new CliException($"{option.Name}: neither JSON nor a file: {given}", ExitCodes.Usage);
        }

        try
        {
            return JsonElement.Parse(isWrittenOut ? given : File.ReadAllText(given));
        }
        catch (JsonException malformed)
        {
            throw new CliException($"{option.Name}: not valid JSON: {malformed.Message}", ExitCodes.Usage);
        }
    }
}
