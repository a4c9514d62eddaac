using System.Text;
using System.Text.Json;

namespace Ash.Simulator.Scripts;

/// <summary>A script that a prompt carries with it: <c>@@fake</c>, then a JSON step or a list of steps.</summary>
internal static class InlineScript
{
    public const string Mark = "@@fake";

    /// <summary>The steps in <paramref name="prompt"/>, or null where it carries none.</summary>
    /// <remarks>What follows the JSON value is not looked at: the client may have merged another prompt behind it.</remarks>
    /// <exception cref="ScriptException">What follows the mark begins like a script and is not one.</exception>
    public static IReadOnlyList<ScriptStep>? Find(string prompt)
    {
        for (var at = prompt.IndexOf(Mark, StringComparison.Ordinal); at >= 0; at = prompt.IndexOf(Mark, at + 1, StringComparison.Ordinal))
        {
            var rest = prompt.AsSpan(at + Mark.Length).TrimStart();

            if (rest is ['[' or '{', ..])
            {
                return Read(rest);
            }
        }

        return null;
    }

    /// <summary>The prompt as history shows it: what stands before the script, or the mark alone.</summary>
    public static string Shorten(string prompt)
    {
        var at = prompt.IndexOf(Mark, StringComparison.Ordinal);

        return at < 0 ? prompt : prompt.AsSpan(0, at).TrimEnd() is { Length: > 0 } before ? before.ToString() : Mark;
    }

    private static IReadOnlyList<ScriptStep> Read(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        var reader = new Utf8JsonReader(bytes);

        try
        {
            using var document = JsonDocument.ParseValue(ref reader);

            return Script.ParseSteps(document.RootElement);
        }
        catch (JsonException invalid)
        {
            throw new ScriptException(ScriptJson.Explain(invalid), invalid);
        }
    }
}
