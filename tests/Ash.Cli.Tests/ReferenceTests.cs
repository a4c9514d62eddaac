using System.CommandLine;
using System.Text;

namespace Ash.Cli.Tests;

public sealed class ReferenceTests
{
    [Fact]
    public void Dump()
    {
        using var i = new Interrupts();
        var host = new CliHost { In = TextReader.Null, Out = TextWriter.Null, Error = TextWriter.Null, Environment = new Dictionary<string, string>(), HomeFolder = "/x", ProgramFolder = "/x", Interrupts = i, ReadMessage = () => null, OpenOut = () => Stream.Null, Become = (_, _) => 0 };
        var text = new StringBuilder();
        Walk(AshCli.Create(host), "ash", text);
        File.WriteAllText("/tmp/ref.md", text.ToString());
    }

    private static void Walk(Command command, string name, StringBuilder text)
    {
        if (command.Hidden) { return; }
        if (command.Subcommands.Count == 0)
        {
            text.AppendLine($"\n### `{name}{string.Concat(command.Arguments.Select(a => a.Arity.MinimumNumberOfValues == 0 ? $" [{a.Name}]" : $" <{a.Name}>"))}`\n\n{command.Description}\n");
            foreach (var a in command.Arguments) { text.AppendLine($"- `{a.Name}`: {a.Description}"); }
            if (command.Options.Any(o => !o.Hidden)) { text.AppendLine("\n| Option | |\n|---|---|"); }
            foreach (var o in command.Options.Where(o => !o.Hidden)) { text.AppendLine($"| `{string.Join("`, `", o.Aliases.Prepend(o.Name))}{(o.HelpName is null ? "" : " " + o.HelpName)}` | {o.Description} |"); }
        }
        foreach (var sub in command.Subcommands) { Walk(sub, $"{name} {sub.Name}", text); }
    }
}
