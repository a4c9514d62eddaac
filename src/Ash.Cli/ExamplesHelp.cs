using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Ash.Cli;

/// <summary>The usual help, and examples below it where there are some.</summary>
internal sealed class ExamplesHelp(HelpAction help, IReadOnlyList<string> ofRoot) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var exitCode = help.Invoke(parseResult);
        var examples = parseResult.CommandResult.Command switch
        {
            RootCommand => ofRoot,
            ExplainedCommand explained => explained.Examples,
            _ => [],
        };

        if (examples.Count > 0)
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");

            foreach (var example in examples)
            {
                output.WriteLine($"  {example}");
            }

            output.WriteLine();
        }

        return exitCode;
    }
}
