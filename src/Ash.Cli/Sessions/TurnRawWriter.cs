using System.Text;
using Ash.Cli.Output;
using Ash.Client.Events;

namespace Ash.Cli.Sessions;

/// <summary>Each event on a line, as the reference's <c>--raw</c> has it: <c>[event] type: json</c>, or <c>[event] json</c>.</summary>
internal sealed class TurnRawWriter(CliOutput output) : ITurnWriter
{
    private const int MaxLength = 200;

    public void Write(AshEvent read)
    {
        var data = TerminalText.Line(Encoding.UTF8.GetString(read.Data.Span), int.MaxValue);
        output.Out.WriteLine(read.Name == EventNames.Message && read.Json.FindMember("type").ReadText() is { } type
            ? $"[{TerminalText.Line(read.Name, MaxLength)}] {TerminalText.Line(type, MaxLength)}: {data[..Math.Min(data.Length, MaxLength)]}"
            : $"[{TerminalText.Line(read.Name, MaxLength)}] {data}");
        output.Out.Flush();
    }

    public void Finish()
    {
    }
}
