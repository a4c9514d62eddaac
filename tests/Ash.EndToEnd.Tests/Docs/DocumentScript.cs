using System.Text;
using System.Text.RegularExpressions;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Docs;

/// <summary>The commands of a document: its <c>sh run</c> blocks, each with the <c>text</c> block behind it as expected output.</summary>
/// <remarks>In an expected output <c>…</c> stands for anything.</remarks>
internal sealed partial class DocumentScript
{
    private const string Mark = "--- end of block";
    private readonly List<(string Commands, string? Expected)> _blocks;

    private DocumentScript(List<(string Commands, string? Expected)> blocks) => _blocks = blocks;

    public static DocumentScript Read(string path, int port)
    {
        var text = File.ReadAllText(path)
            .Replace("54329", $"{AshServer.FreePort()}", StringComparison.Ordinal)
            .Replace("4100", $"{port}", StringComparison.Ordinal);
        return new([.. Blocks().Matches(text).Select(match =>
            (match.Groups["commands"].Value, match.Groups["expected"] is { Success: true } expected ? expected.Value : null))]);
    }

    public int Count => _blocks.Count;

    /// <summary>All blocks, for one shell: variables live on from block to block. It stops at the first command that fails.</summary>
    public string ToShell()
    {
        var shell = new StringBuilder("set -euo pipefail\n");
        foreach (var (commands, _) in _blocks)
        {
            shell.Append(commands).Append("\nprintf '\\n%s\\n' '").Append(Mark).Append("'\n");
        }

        return shell.ToString();
    }

    /// <summary>Compares what was printed with what the document says.</summary>
    public void Check(string output)
    {
        var parts = output.Split($"\n{Mark}\n");
        for (var i = 0; i < _blocks.Count; i++)
        {
            if (_blocks[i].Expected is { } expected)
            {
                var pattern = Regex.Escape(expected.Trim()).Replace("…", ".*", StringComparison.Ordinal);
                Assert.True(
                    Regex.IsMatch(parts[i].Trim(), $"^{pattern}$", RegexOptions.Singleline),
                    $"The document says:\n{expected}\nbut this was printed:\n{parts[i]}");
            }
        }
    }

    [GeneratedRegex(@"^```sh run\n(?<commands>.*?)^```\n(?:```text\n(?<expected>.*?)^```\n)?", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
