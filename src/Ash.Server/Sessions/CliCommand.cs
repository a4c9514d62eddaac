using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ash.Protocol.Bridge;
using Ash.Protocol.Launch;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>How the CLI is started for a session: arguments and environment (claude-cli-protocol 3 to 5; design decisions 13 to 18).</summary>
internal static class CliCommand
{
    private const string SessionIdOption = "--session-id";
    private const string SessionIdVariable = "ASH_SESSION_ID";

    /// <summary>It promises the model to wake it later. A turn starts with a message here, and never by itself.</summary>
    private const string NeverOffered = "ScheduleWakeup";

    /// <summary>
    /// Those of its arguments that a session or a message chooses and may choose anew: a process that has others is of no use to it.
    /// </summary>
    public static IReadOnlyList<string> Flags(SessionRecord session, TurnOptions? options) =>
        [.. SessionOptions.Flags(session.Config, NeverOffered, hasTurns: options?.MaxTurns is not null), .. options?.Flags() ?? []];

    /// <param name="session">The session.</param>
    /// <param name="servers">MCP servers by name, or null.</param>
    /// <param name="resume">Whether there is a transcript to go on from.</param>
    /// <param name="model">The model to start with, or null for the CLI's default.</param>
    /// <param name="flags">Of the session and the message that it is started for.</param>
    public static IReadOnlyList<string> Arguments(SessionRecord session, JsonElement? servers, bool resume, string? model, IReadOnlyList<string> flags)
    {
        List<string> arguments =
        [
            SandboxPaths.Cli,
            "--output-format", "stream-json",
            "--verbose",
            "--input-format", "stream-json",
            "--include-partial-messages",

            // Without it the user's settings, settings.local.json and servers in .claude.json run too: all of them in the
            // home, which the agent can write.
            "--setting-sources=project",

            // WebFetch asks claude.ai about each host first, which nothing here can reach, and then blames the host. Without
            // that question it asks the proxy, which says what is the matter.
            "--settings={\"skipWebFetchPreflight\":true}",
            .. flags,
            resume ? $"--resume={session.CliSessionId}" : $"{SessionIdOption}={session.CliSessionId}",
        ];

        arguments.AddRange(session.PermissionMode switch
        {
            "permissionsByAgent" => ["--permission-mode=dontAsk"],
            "default" => ["--permission-mode=default", "--permission-prompt-tool=stdio"],
            _ => (IEnumerable<string>)["--permission-mode=bypassPermissions"],
        });

        if (servers is { } own)
        {
            arguments.Add($"--mcp-config={{\"mcpServers\":{own.GetRawText()}}}");
        }

        if (model is not null)
        {
            arguments.Add($"--model={model}");
        }

        return arguments;
    }

    /// <summary>Asks the sandbox's bridge to start the CLI, which then waits for its first line.</summary>
    public static void Start(
        SessionSandbox sandbox, SessionRecord session, SessionSecrets secrets, CliStart start, string? model, TurnOptions? options)
    {
        var flags = Flags(session, options);
        sandbox.Cli.Begin(start, model, flags);
        var takesUp = start.GoesOnWith is null ? null : new Dictionary<string, string> { ["CLAUDE_CODE_RESUME_INTERRUPTED_TURN"] = "1" };
        sandbox.Post(new StartCli(sandbox.Cli.StartId, Arguments(session, secrets.McpServers, start.Resumes, model, flags), takesUp));
    }

    /// <summary>
    /// Tells what a sandbox and its CLI are started with and cannot be told later, but for what is each session's own: one that was
    /// started with the same may serve the session. The model is told by <c>set_model</c>, the prompt by <c>initialize</c>.
    /// </summary>
    public static string Signature(
        SessionRecord session, SessionSecrets secrets, IReadOnlyDictionary<string, string>? agentEnvironment, bool keepsOwnPrompt)
    {
        var arguments = Arguments(session, secrets.McpServers, resume: false, model: null, Flags(session, options: null))
            .Where(argument => !argument.StartsWith(SessionIdOption, StringComparison.Ordinal));
        var environment = Environment(session, secrets, agentEnvironment, credentialEnvironment: null, token: string.Empty, keepsOwnPrompt)
            .Where(variable => variable.Key != SessionIdVariable)
            .OrderBy(variable => variable.Key, StringComparer.Ordinal)
            .Select(variable => $"{variable.Key}={variable.Value}");
        var credential = session.ExposesCredential ? $"credential {session.CredentialId}" : string.Empty;
        return Convert.ToHexStringLower(SHA256.HashData(
            Encoding.UTF8.GetBytes(string.Join('\0', [session.ContentHash, credential, .. arguments, .. environment]))));
    }

    /// <summary>The environment of everything inside. The token is the sandbox's own and worth nothing elsewhere.</summary>
    /// <param name="session">The session.</param>
    /// <param name="secrets">The session's.</param>
    /// <param name="agentEnvironment">The agent's own, below the credential's and the session's; none overrides ours.</param>
    /// <param name="credentialEnvironment">Of the credential that the session exposes.</param>
    /// <param name="token">The sandbox's.</param>
    /// <param name="keepsOwnPrompt">Whether the CLI keeps its own prompt and loads <c>CLAUDE.md</c> beside it.</param>
    public static Dictionary<string, string> Environment(
        SessionRecord session,
        SessionSecrets secrets,
        IReadOnlyDictionary<string, string>? agentEnvironment,
        IReadOnlyDictionary<string, string>? credentialEnvironment,
        string token,
        bool keepsOwnPrompt)
    {
        var environment = new Dictionary<string, string>(agentEnvironment ?? new Dictionary<string, string>());
        foreach (var (name, value) in credentialEnvironment ?? new Dictionary<string, string>())
        {
            environment[name] = value;
        }

        foreach (var (name, value) in secrets.ExtraEnv ?? new Dictionary<string, string>())
        {
            environment[name] = value;
        }

        foreach (var (name, value) in Fixed)
        {
            environment[name] = value;
        }

        environment.TryAdd("PATH", "/usr/local/bin:/usr/bin:/bin");
        environment.TryAdd("LANG", "C.UTF-8");
        environment["ANTHROPIC_API_KEY"] = token;
        environment[SessionIdVariable] = session.Id.ToString();
        if (!keepsOwnPrompt || session.SystemPrompt is not null)
        {
            // CLAUDE.md, or what the session has in its place, is told at `initialize`; the CLI must not load the file as well.
            environment["CLAUDE_CODE_DISABLE_CLAUDE_MDS"] = "1";
        }

        return environment;
    }

    private static readonly Dictionary<string, string> Fixed = new()
    {
        ["HOME"] = SandboxPaths.Home,
        ["SHELL"] = "/bin/bash",
        ["USER"] = "agent",
        ["TERM"] = "dumb",
        ["CLAUDE_CONFIG_DIR"] = SandboxPaths.CliConfig,

        // With the real host's name each start waits 18 s for it; any other name, never looked up, goes to the socket.
        ["ANTHROPIC_UNIX_SOCKET"] = SandboxPaths.BrokerSocket,
        ["ANTHROPIC_BASE_URL"] = "http://broker.invalid",
        ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1",
        ["DISABLE_TELEMETRY"] = "1",
        ["DISABLE_ERROR_REPORTING"] = "1",
        ["DISABLE_AUTOUPDATER"] = "1",
        ["CLAUDE_CODE_SDK_READS_SESSION_STATE"] = "1",

        // The transcript is written before the model is called and before a result is said: a killed process forgets less.
        ["CLAUDE_CODE_EAGER_FLUSH"] = "1",

        // No turn starts by itself.
        ["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"] = "1",
        ["CLAUDE_CODE_DISABLE_CRON"] = "1",

        // For tools that ask for a network: they get a readable refusal instead of a name that does not resolve.
        ["HTTP_PROXY"] = Relay,
        ["HTTPS_PROXY"] = Relay,
        ["http_proxy"] = Relay,
        ["https_proxy"] = Relay,
        ["NO_PROXY"] = "localhost,127.0.0.1,broker.invalid",
        ["no_proxy"] = "localhost,127.0.0.1,broker.invalid",
    };

    private static string Relay => $"http://127.0.0.1:{SandboxPaths.RelayPort}";
}
