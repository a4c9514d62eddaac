namespace Ash.Cli.Agents;

/// <summary>Variables from a file: <c>KEY=VALUE</c> lines, comments, <c>export</c>, single or double quotes.</summary>
internal static class EnvFile
{
    /// <summary>No variables where there is no such file.</summary>
    public static IReadOnlyDictionary<string, string> Read(string path) =>
        File.Exists(path) ? Parse(File.ReadLines(path)) : new Dictionary<string, string>();

    public static Dictionary<string, string> Parse(IEnumerable<string> lines)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);

        foreach (var raw in lines)
        {
            var line = raw.Trim();
            line = line.StartsWith("export ", StringComparison.Ordinal) ? line[7..].TrimStart() : line;
            var equals = line.IndexOf('=', StringComparison.Ordinal);

            if (equals > 0 && line[0] != '#')
            {
                variables[line[..equals].TrimEnd()] = ParseValue(line[(equals + 1)..].Trim());
            }
        }

        return variables;
    }

    private static string ParseValue(string text)
    {
        if (text is ['"' or '\'', ..] && text.IndexOf(text[0], 1) is > 0 and var end)
        {
            var quoted = text[1..end];
            return text[0] == '"' ? quoted.Replace("\\n", "\n", StringComparison.Ordinal) : quoted;
        }

        var comment = text.IndexOf(" #", StringComparison.Ordinal);
        return comment < 0 ? text : text[..comment].TrimEnd();
    }
}
