using System.Globalization;
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

    /// <summary>How many places of a terminal's line a text takes, which is clean.</summary>
    public static int Width(string text)
    {
        var width = 0;

        foreach (var rune in text.EnumerateRunes())
        {
            width += Rune.GetUnicodeCategory(rune) switch
            {
                UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format => 0,
                _ => IsWide(rune.Value) ? 2 : 1,
            };
        }

        return width;
    }

    /// <summary>Marks that let text be read in the other direction, and so hide what a line says.</summary>
    public static bool TurnsTextAround(char c) => c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    /// <summary>East Asian letters and pictures.</summary>
    private static bool IsWide(int rune) => rune
        is (>= 0x1100 and <= 0x115F)
        or (>= 0x2E80 and <= 0xA4CF)
        or (>= 0xAC00 and <= 0xD7A3)
        or (>= 0xF900 and <= 0xFAFF)
        or (>= 0xFE30 and <= 0xFE6F)
        or (>= 0xFF01 and <= 0xFF60)
        or (>= 0xFFE0 and <= 0xFFE6)
        or (>= 0x1F300 and <= 0x1FAFF)
        or (>= 0x20000 and <= 0x3FFFD);

    private static bool IsUnwanted(char c) => c is not ('\n' or '\t') && IsControl(c);

    private static bool IsControl(Rune rune) => rune.IsBmp && IsControl((char)rune.Value);

    private static bool IsControl(char c) => char.IsControl(c) || TurnsTextAround(c);
}
