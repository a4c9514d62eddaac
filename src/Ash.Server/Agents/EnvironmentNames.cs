using System.Text.RegularExpressions;

namespace Ash.Server.Agents;

/// <summary>Which environment a client may give to sandboxes.</summary>
internal static partial class EnvironmentNames
{
    private const int MaxBytes = 128 * 1024;

    /// <summary>What is wrong with an environment, or null.</summary>
    public static string? Refusal(string field, IReadOnlyDictionary<string, string>? environment)
    {
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            if (!ValidName().IsMatch(name))
            {
                return $"{field}: \"{name}\" is not a name of an environment variable";
            }

            if (value is null || value.Contains('\0'))
            {
                return $"{field}.{name} must be a string without NUL characters";
            }
        }

        return environment?.Sum(pair => pair.Key.Length + pair.Value.Length) > MaxBytes ? $"{field} must be at most {MaxBytes} characters" : null;
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]{0,255}$")]
    private static partial Regex ValidName();
}
