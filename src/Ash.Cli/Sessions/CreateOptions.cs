using System.CommandLine;
using Ash.Cli.Agents;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary>Options with which a session is made.</summary>
internal sealed class CreateOptions
{
    private readonly ConfigOptions _config = new();
    private readonly Option<string[]> _env = EnvOption.Create("Sets a variable of the session's sandbox, over the agent's.");

    private readonly Option<string?> _credential = new("--credential")
    {
        Description = "A credential: one of the model's own API is used for its model calls.", HelpName = "id",
    };

    private readonly Option<bool> _expose = new("--expose-credential")
    {
        Description = "Puts the credential into the sandbox's environment, where the agent can read it.",
    };

    private readonly Option<string?> _prompt = new("--system-prompt")
    {
        Description = "Takes the place of CLAUDE.md for this session.", HelpName = "text",
    };

    private readonly Option<string?> _promptFile = new("--system-prompt-file")
    {
        Description = "As --system-prompt, from a file.", HelpName = "path",
    };

    private readonly Option<string?> _permissionMode = new("--permission-mode")
    {
        Description = "What of the tools needs permission (default: bypassPermissions, nothing).", HelpName = "mode",
    };

    private readonly Option<string?> _mcpServers = JsonOption.Create("--mcp-servers", "MCP servers beside the agent's own, by name.");

    public CreateOptions() => _permissionMode.AcceptOnlyFromAmong("bypassPermissions", "permissionsByAgent", "default");

    public void AddTo(Command command)
    {
        command.Add(_env);
        _config.AddTo(command);
        command.Add(_prompt);
        command.Add(_promptFile);
        command.Add(_permissionMode);
        command.Add(_mcpServers);
        command.Add(_credential);
        command.Add(_expose);
    }

    public async Task<CreateSessionRequest> ReadAsync(ParseResult parse, string agent, CancellationToken cancellationToken)
    {
        var variables = EnvOption.Read(parse, _env);
        var config = _config.Read(parse);
        return new CreateSessionRequest
        {
            Agent = agent,
            Model = config?.Model,
            AllowedTools = config?.AllowedTools,
            DisallowedTools = config?.DisallowedTools,
            Betas = config?.Betas,
            Subagents = config?.Subagents,
            InitialAgent = config?.InitialAgent,
            SystemPrompt = await TextOption.ReadAsync(parse, _prompt, _promptFile, cancellationToken),
            PermissionMode = parse.GetValue(_permissionMode),
            McpServers = JsonOption.Read(parse, _mcpServers),
            ExtraEnv = variables.Count > 0 ? variables : null,
            CredentialId = parse.GetValue(_credential),
            ExposeCredential = parse.GetValue(_expose) ? true : null,
        };
    }
}
