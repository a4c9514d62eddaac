using System.Text;
using System.Text.Json;
using Ash.Cli.Output;
using Ash.Client.Events;

namespace Ash.Cli.Sessions;

/// <summary>The answer's text as it comes, and a line for each tool and its result.</summary>
/// <remarks>
/// A model call can break off and be made again. What was shown of the first attempt cannot be taken back, so it is marked, and
/// the second is shown from its beginning.
/// </remarks>
/// <param name="output">Where it is shown.</param>
/// <param name="notesApart">Whether notes go to standard error, so that the standard output is the answer alone.</param>
internal sealed class TurnTextWriter(CliOutput output, bool notesApart = false) : ITurnWriter
{
    private const string BrokenOff = "· the answer broke off, and is begun anew";

    // What was shown of a block whose message is not complete yet.
    private readonly StringBuilder _shown = new();
    private string? _heldBack;
    private bool _atLineStart = true;
    private bool _blockEnded;

    public void Write(AshEvent read)
    {
        switch (read.Body)
        {
            case TextDelta(var delta):
                _shown.Append(delta);
                WriteText(delta);
                break;

            case ToolUse tool:
                WriteNote($"· {ToolNotes.Describe(tool)}");
                break;

            case ToolResult result:
                WriteNote($"  → {ToolNotes.Describe(result)}");
                break;

            case AgentMessage(var line):
                WriteMessage(line);
                break;

            case TurnError:
                // It says the same, and is shown as what it is.
                _heldBack = null;
                break;

            case Done when _heldBack is { } text:
                _heldBack = null;
                WriteText(text);
                break;
        }
    }

    public void Finish()
    {
        if (!_atLineStart)
        {
            output.Out.WriteLine();
            _atLineStart = true;
        }
    }

    private void WriteMessage(JsonElement line)
    {
        if (IsSubagents(line))
        {
            return;
        }

        switch (line.FindMember("type").ReadText())
        {
            case "assistant":
                WriteWhole(line);
                break;

            case "stream_event" when line.FindMember("abandoned_blocks").ValueKind != JsonValueKind.Undefined:
                BreakOff();
                break;
        }
    }

    /// <summary>Text that came without deltas, as the CLI's own messages do, is shown when its message is complete.</summary>
    private void WriteWhole(JsonElement line)
    {
        foreach (var text in ToolNotes.Texts(line))
        {
            if (line.FindMember("error").ValueKind == JsonValueKind.String)
            {
                // The CLI's words about a failed model call. Where the turn fails of it, its error says them.
                _heldBack = text;
                continue;
            }

            WriteText(RestOf(text));
            _shown.Clear();
            _blockEnded = true;
        }
    }

    /// <summary>What is still to be shown of a block, now that all of it is known.</summary>
    private string RestOf(string text)
    {
        var before = _shown.ToString();

        if (before.StartsWith(text, StringComparison.Ordinal))
        {
            return "";
        }

        if (text.StartsWith(before, StringComparison.Ordinal))
        {
            return text[before.Length..];
        }

        BreakOff();
        return text;
    }

    private void BreakOff()
    {
        if (_shown.Length > 0)
        {
            WriteNote(BrokenOff);
            _shown.Clear();
            _blockEnded = false;
        }
    }

    private static bool IsSubagents(JsonElement line) =>
        line.FindMember("parent_tool_use_id").ValueKind == JsonValueKind.String;

    private void WriteText(string text)
    {
        if (text.Length == 0)
        {
            return;
        }

        if (_blockEnded)
        {
            _blockEnded = false;
            Finish();
        }

        output.Out.Write(output.IsTerminal ? TerminalText.Clean(text) : text);
        output.Out.Flush();
        _atLineStart = text[^1] == '\n';
    }

    private void WriteNote(string line)
    {
        Finish();

        if (notesApart)
        {
            output.Note(line);
        }
        else
        {
            output.Out.WriteLine(output.Painted(line, Colour.Dim));
        }
    }
}
