using System.CommandLine;

namespace Ash.Cli.Completion;

/// <summary><c>ash __complete WORD…</c>: what the last word may become, a line each. Scripts of <c>ash completion</c> ask it.</summary>
internal static class CompleteCommand
{
    public const string Name = "__complete";

    /// <param name="root">All commands.</param>
    /// <param name="words">What stands behind <c>ash</c>, to the word that is being written, which may be empty.</param>
    public static IEnumerable<string> Complete(RootCommand root, IReadOnlyList<string> words)
    {
        var word = words is [.., var last] ? last : "";
        var before = words.SkipLast(1).ToList();
        var parse = root.Parse(before);

        // Words that follow `--` are nobody's options.
        return before.Contains("--")
            ? []
            : parse.GetCompletions()
                .Select(item => item.InsertText ?? item.Label)
                .Where(text => text.StartsWith(word, StringComparison.Ordinal) && !IsAside(text, word))
                .Distinct();
    }

    /// <summary>Options are offered once a hyphen says that one is wanted; other ways to ask for help, never.</summary>
    private static bool IsAside(string text, string word) =>
        text is "-?" or "/?" or "/h" || (text.StartsWith('-') && !word.StartsWith('-'));
}
