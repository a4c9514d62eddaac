using System.CommandLine;

namespace Ash.Cli;

/// <summary>A command whose help shows how it is used.</summary>
/// <param name="examples">Command lines, each with what it does.</param>
internal sealed class ExplainedCommand(string name, string description, params IReadOnlyList<string> examples)
    : Command(name, description)
{
    public IReadOnlyList<string> Examples => examples;
}
