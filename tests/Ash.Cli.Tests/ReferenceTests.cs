using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Ash.Cli.Tests;

/// <summary><c>docs/reference/cli.md</c> has every command and option of the program, and no other.</summary>
public sealed partial class ReferenceTests : IDisposable
{
    private static readonly string Page = File.ReadAllText(Path.Combine(FindRoot(), "docs", "reference", "cli.md"));

    private readonly Interrupts _interrupts = new();
    private readonly RootCommand _root;

    public ReferenceTests() => _root = AshCli.Create(new CliHost
    {
        In = TextReader.Null,
        Out = TextWriter.Null,
        Error = TextWriter.Null,
        OpenOut = () => Stream.Null,
        Interrupts = _interrupts,
        ReadMessage = () => null,
        Environment = new Dictionary<string, string>(),
        HomeFolder = "/nonexistent",
        ProgramFolder = "/nonexistent",
        Become = (_, _) => 0,
    });

    public void Dispose() => _interrupts.Dispose();

    [Fact]
    public void Page_HasEveryCommand_WithItsArgumentsAndOptions_AndNoOther()
    {
        var offered = Commands(_root, "ash").ToDictionary(one => one.Line, one => Names(one.Command.Options.Where(option => !option.Hidden)));

        var documented = Sections().ToDictionary(one => one.Line, one => OptionsIn(one.Text));

        Assert.Equal(offered.Keys.Order(StringComparer.Ordinal), documented.Keys.Order(StringComparer.Ordinal));
        Assert.All(offered, one => Assert.Equal((one.Key, one.Value), (one.Key, documented[one.Key])));
    }

    [Fact]
    public void Page_HasTheOptionsOfEveryCommand()
    {
        var everywhere = Page.Split("\n## ").Single(part => part.StartsWith("Options of every command", StringComparison.Ordinal));

        Assert.Equal(Names(_root.Options.Where(option => !option.Hidden)), OptionsIn(everywhere));
    }

    [Fact]
    public void Page_HasEveryExitCode()
    {
        var codes = typeof(ExitCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (int)field.GetRawConstantValue()!);
        var part = Page.Split("\n## ").Single(part => part.StartsWith("Exit codes", StringComparison.Ordinal));

        Assert.Equal(codes.Order(), ExitCodeRows().Matches(part).Select(row => int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Commands_SayWhatTheyDo()
    {
        Assert.All(Commands(_root, "ash"), one =>
        {
            Assert.EndsWith(".", one.Command.Description!.Replace("ash-server simulate", "it.", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.All(one.Command.Options, option => Assert.True(option.Hidden || option.Description is { Length: > 0 }, $"{one.Line} {option.Name}"));
        });
    }

    /// <summary>Commands that do something, with a line such as <c>ash session files &lt;id&gt; [path]</c>.</summary>
    private static IEnumerable<(string Line, Command Command)> Commands(Command command, string name)
    {
        foreach (var below in command.Subcommands.Where(below => !below.Hidden))
        {
            var path = $"{name} {below.Name}";

            if (below.Subcommands.Count == 0)
            {
                yield return (path + string.Concat(below.Arguments.Select(Show)), below);
            }

            foreach (var deeper in Commands(below, path))
            {
                yield return deeper;
            }
        }
    }

    private static string Show(Argument argument)
    {
        var many = argument.Arity.MaximumNumberOfValues > 1 ? "…" : "";
        return argument.Arity.MinimumNumberOfValues == 0 ? $" [{argument.Name}{many}]" : $" <{argument.Name}{many}>";
    }

    private static string Names(IEnumerable<Option> options) =>
        string.Join(' ', options.SelectMany(option => option.Aliases.Append(option.Name)).Where(IsForPeople).Order(StringComparer.Ordinal));

    // Other ways to ask for help, from other systems.
    private static bool IsForPeople(string name) => name is not ("/?" or "/h");

    private static IEnumerable<(string Line, string Text)> Sections() => Page.Split("\n### ").Skip(1).Select(part =>
    {
        var heading = part.Split('\n')[0];
        return (heading.Trim('`'), part.Split("\n## ")[0]);
    });

    /// <summary>Those in the first column of the tables, in order.</summary>
    private static string OptionsIn(string text) => string.Join(' ', text.Split('\n')
        .Where(line => line.StartsWith("| `-", StringComparison.Ordinal))
        .SelectMany(line => OptionNames().Matches(line.Replace("\\|", "", StringComparison.Ordinal).Split(" | ")[0]).Select(match => match.Groups[1].Value))
        .Order(StringComparer.Ordinal));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);

        while (!File.Exists(Path.Combine(folder.FullName, "Ash.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests are not in the repository.");
        }

        return folder.FullName;
    }

    [GeneratedRegex("`(-{1,2}[A-Za-z?][A-Za-z-]*)")]
    private static partial Regex OptionNames();

    [GeneratedRegex(@"^\| (\d+) \|", RegexOptions.Multiline)]
    private static partial Regex ExitCodeRows();
}
