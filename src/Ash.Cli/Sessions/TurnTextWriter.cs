using System.Text.Json;
using Ash.Cli.Output;
using Ash.Client.Events;

namespace Ash.Cli.Sessions;

/// <summary>The answer's text as it comes, and a line for each tool and its result.</summary>
internal sealed class TurnTextWriter(CliOutput output) : ITurnWriter
{
    private bool atLineStart = true;
    private bool blockEnded;
    private bool blockHadDeltas;

    public void Write(AshEvent read)
    {
        switch (read.Body)
        {
            case TextDelta(var delta):
                blockHadDeltas = true;
                WriteText(delta);
                break;

            case ToolUse tool:
                WriteNote($"· {ToolNotes.Describe(tool)}");
                break;

            case ToolResult result:
                WriteNote($"  → {ToolNotes.Describe(result)}");
                break;

            case AgentMessage(var line):
                WriteWhole(line);
                break;
        }
    }

    public void Finish()
    {
        if (!atLineStart)
        {
            output.Out.WriteLine();
            atLineStart = true;
        }
    }

    /// <summary>Text that came without deltas, as the CLI's own messages do, is shown when its message is complete.</summary>
    private void WriteWhole(JsonElement line)
    {
        if (!line.TryGetProperty("type", out var type) || !type.ValueEquals("assistant"u8) || IsSubagents(line))
        {
            return;
        }

        foreach (var text in ToolNotes.Texts(line))
        {
            if (!blockHadDeltas)
            {
                WriteText(text);
            }

            blockEnded = true;
        }

        if (blockEnded)
        {
            blockHadDeltas = false;
        }
    }

    private static bool IsSubagents(JsonElement line) =>
        line.TryGetProperty("parent_tool_use_id", out var parent) && parent.ValueKind == JsonValueKind.String;

    private void WriteText(string text)
    {
        if (text.Length == 0)
        {
            return;
        }

        if (blockEnded)
        {
            blockEnded = false;
            Finish();
        }

        output.Out.Write(output.IsTerminal ? TerminalText.Clean(text) : text);
        output.Out.Flush();
        atLineStart = text[^1] == '\n';
    }

    private void WriteNote(string line)
    {
        Finish();
        output.Out.WriteLine(output.Dim(line));
    }
}
