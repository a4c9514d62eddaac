using System.Text;
using System.Text.RegularExpressions;

namespace Ash.Server.Agents;

/// <summary>Which environment a client may give to sandboxes.</summary>
internal static partial class EnvironmentNames
{
    /// <summary>The kernel takes 128 KiB in one variable, its name included.</summary>
    private const int MaxBytes = 100_000;

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

        return environment?.Sum(pair => pair.Key.Length + Encoding.UTF8.GetByteCount(pair.Value)) > MaxBytes
            ? $"{field} must be at most {MaxBytes} bytes"
            : null;
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]{0,255}\\z")]
    private static partial Regex ValidName();
}
