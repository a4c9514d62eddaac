using System.CommandLine;

namespace Ash.Cli.Servers;

/// <summary>Options of the reference's <c>start</c>, whose server is a container. They are taken, so that scripts go on working.</summary>
internal sealed class ContainerOptions
{
    private readonly Option[] _all =
    [
        new Option<string?>("--tag") { Hidden = true },
        new Option<string?>("--image") { Hidden = true },
        new Option<bool>("--no-pull") { Hidden = true },
        new Option<string?>("--cloud-url") { Hidden = true },
    ];

    public void AddTo(Command command)
    {
        foreach (var option in _all)
        {
            command.Add(option);
        }
    }

    public void Explain(CommandContext context)
    {
        foreach (var given in _all.Where(option => context.Parse.GetResult(option) is { Implicit: false }))
        {
            context.Output.Note($"{given.Name} has no effect: the server is a program of this machine, no container.");
        }
    }
}
