using System.CommandLine;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary>Options of a session that can also be changed later.</summary>
internal sealed class ConfigOptions
{
    public Option<string?> Model { get; } = new("--model") { Description = "The model of its messages.", HelpName = "model" };

    public Option<string[]> AllowedTools { get; } =
        ListOption.Create("--allowed-tool", "A tool, or a rule such as \"Bash(git *)\", that needs no permission.", "rule");

    public Option<string[]> DisallowedTools { get; } =
        ListOption.Create("--disallowed-tool", "A tool, or a rule, that is never used.", "rule");

    public Option<string[]> Betas { get; } = ListOption.Create("--beta", "A beta feature of the model API.", "name");

    public Option<string?> Subagents { get; } = JsonOption.Create("--subagents", "Agents that the agent may delegate to, by name.");

    public Option<string?> InitialAgent { get; } =
        new("--initial-agent") { Description = "The one of them that talks to the user.", HelpName = "name" };

    public void AddTo(Command command)
    {
        command.Add(Model);
        command.Add(AllowedTools);
        command.Add(DisallowedTools);
        command.Add(Betas);
        command.Add(Subagents);
        command.Add(InitialAgent);
    }

    /// <summary>The changes that are asked for; null where none is.</summary>
    public UpdateSessionConfigRequest? Read(ParseResult parse)
    {
        var request = new UpdateSessionConfigRequest
        {
            Model = parse.GetValue(Model),
            AllowedTools = ListOption.Read(parse, AllowedTools),
            DisallowedTools = ListOption.Read(parse, DisallowedTools),
            Betas = ListOption.Read(parse, Betas),
            Subagents = JsonOption.Read(parse, Subagents),
            InitialAgent = parse.GetValue(InitialAgent),
        };
        return request == new UpdateSessionConfigRequest() ? null : request;
    }
}
