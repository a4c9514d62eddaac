using System.CommandLine;
using System.Globalization;
using Ash.Cli.Output;
using Ash.Protocol.Api;

namespace Ash.Cli.Agents;

/// <summary><c>ash deploy</c>.</summary>
internal static class DeployCommand
{
    public static Command Create(CommandBinder binder)
    {
        var path = new Argument<string>("path") { Description = "The agent's folder. It must contain CLAUDE.md." };
        var name = new Option<string?>("--name", "-n") { Description = "The agent's name. Otherwise the folder's.", HelpName = "name" };
        var env = EnvOption.Create("Sets a variable of the agent's sandboxes, over those of .env and .env.local.");
        var check = new Option<bool>("--check") { Description = "Only says what is wrong with the folder; needs no server." };
        var command = new ExplainedCommand(
            "deploy",
            "Deploys an agent folder, or its next version.",
            "ash deploy ./greeter                    deploys the folder as greeter",
            "ash deploy ./greeter -n hello -e LANG=de  under another name, with a variable",
            "ash deploy ./greeter --check            only says what is wrong with it")
        {
            path, name, env, check,
        };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(context.Parse.GetRequiredValue(path)));
            if (context.Parse.GetValue(check))
            {
                return Check(context, AgentFolder.Read(folder, cancellationToken));
            }

            var agentName = NameOf(context, context.Parse.GetValue(name) ?? Path.GetFileName(folder));

            if (!File.Exists(Path.Combine(folder, "CLAUDE.md")))
            {
                throw new CliException($"Agent directory must contain CLAUDE.md: {folder}");
            }

            var variables = ReadEnv(context, folder, EnvOption.Read(context.Parse, env));
            var content = AgentFolder.Read(folder, cancellationToken);

            foreach (var left in content.LeftOut)
            {
                context.Output.Note($"Skipped {left}");
            }

            var findings = AgentCheck.Find(content.Files);
            if (findings.Any(finding => !finding.MaySucceed))
            {
                throw new CliException(string.Join('\n', findings));
            }

            foreach (var finding in findings)
            {
                context.Output.Note($"Warning: {finding}");
            }

            context.Output.Say(string.Create(
                CultureInfo.InvariantCulture, $"Uploading {content.Files.Count} file(s) ({Display.Size(content.TotalBytes)})..."));
            var agent = await UploadAsync(context, agentName, content, variables, cancellationToken);

            context.Output.Say(string.Create(CultureInfo.InvariantCulture, $"Deployed agent \"{agent.Name}\" (v{agent.Version})"));

            if (variables.Count > 0)
            {
                context.Output.Say($"  env: {string.Join(", ", variables.Keys)}");
            }

            context.Output.ResultForPrograms(agent);
            return ExitCodes.Ok;
        });
    }

    private static async Task<AgentInfo> UploadAsync(
        CommandContext context,
        string name,
        AgentFolder content,
        Dictionary<string, string> variables,
        CancellationToken cancellationToken)
    {
        var request = new DeployAgentRequest { Name = name, Files = content.Files, Env = variables.Count > 0 ? variables : null };
        var progress = new UploadProgress(content.TotalBytes);

        using (context.Output.Wait(progress.Tell))
        {
            return await context.Client.Agents.DeployAsync(request, progress, cancellationToken);
        }
    }

    private static int Check(CommandContext context, AgentFolder content)
    {
        var findings = AgentCheck.Find(content.Files);
        foreach (var finding in findings)
        {
            context.Output.Say(finding.ToString());
        }

        if (findings.Count == 0)
        {
            context.Output.Say(string.Create(CultureInfo.InvariantCulture, $"Nothing is wrong with {content.Files.Count} file(s)"));
        }

        context.Output.ResultForPrograms(findings);
        return findings.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static string NameOf(CommandContext context, string wanted)
    {
        var normal = AgentName.Normalize(wanted);

        if (normal != wanted)
        {
            context.Output.Say($"Normalized agent name: \"{wanted}\" → \"{normal}\"");
        }

        return normal;
    }

    private static Dictionary<string, string> ReadEnv(
        CommandContext context, string folder, IReadOnlyDictionary<string, string> given)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        var sources = new List<string>();

        foreach (var source in (ReadOnlySpan<string>)[".env", ".env.local"])
        {
            var found = EnvFile.Read(Path.Combine(folder, source));

            if (found.Count > 0)
            {
                sources.Add(source);
                Merge(variables, found);
            }
        }

        if (sources.Count > 0)
        {
            context.Output.Say(string.Create(
                CultureInfo.InvariantCulture, $"Loaded {variables.Count} env var(s) from {string.Join(" + ", sources)}"));
        }

        Merge(variables, given);
        return variables;
    }

    private static void Merge(Dictionary<string, string> target, IReadOnlyDictionary<string, string> source)
    {
        foreach (var (key, value) in source)
        {
            target[key] = value;
        }
    }
}
