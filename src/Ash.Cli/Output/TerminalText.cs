using System.Text;

namespace Ash.Cli.Output;

/// <summary>Text from a sandbox, made harmless for a terminal: no escape sequence, no cursor, no bell.</summary>
internal static class TerminalText
{
    /// <summary>Keeps line ends and tabs.</summary>
    public static string Clean(string text)
    {
        if (!text.Any(IsUnwanted))
        {
            return text;
        }

        var clean = new StringBuilder(text.Length);

        foreach (var c in text)
        {
            if (!IsUnwanted(c))
            {
                clean.Append(c);
            }
        }

        return clean.ToString();
    }

    /// <summary>One line of at most so many characters.</summary>
    public static string Line(string text, int maxLength)
    {
        var line = new StringBuilder(Math.Min(text.Length, maxLength));
        var space = false;

        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune))
            {
                space = line.Length > 0;
                continue;
            }

            if (IsControl(rune))
            {
                continue;
            }

            if (line.Length + rune.Utf16SequenceLength + (space ? 1 : 0) > maxLength)
            {
                return line.Append('…').ToString();
            }

            line.Append(space ? " " : "").Append(rune.ToString());
            space = false;
        }

        return line.ToString();
    }

    private static bool IsUnwanted(char c) => c is not ('\n' or '\t') && IsControl(c);

    private static bool IsControl(Rune rune) => rune.IsBmp && IsControl((char)rune.Value);

    // Besides the controls, the marks that turn text around and so hide what a line says.
    private static bool IsControl(char c) => char.IsControl(c) || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
}
