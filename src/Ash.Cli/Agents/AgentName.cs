using System.Text.RegularExpressions;

namespace Ash.Cli.Agents;

/// <summary>Names of agents.</summary>
internal static partial class AgentName
{
    /// <summary>What is not allowed in a name becomes a hyphen; hyphens at its ends go.</summary>
    /// <exception cref="CliException">Nothing is left.</exception>
    public static string Normalize(string name)
    {
        var normal = NotAllowed().Replace(name, "-").Trim('-');
        return normal.Length > 0 ? normal : throw new CliException($"Invalid agent name: \"{name}\"", ExitCodes.Usage);
    }

    [GeneratedRegex("[^A-Za-z0-9_-]+")]
    private static partial Regex NotAllowed();
}
