using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Fences;

/// <summary>Looks at a sandbox from inside: as a tool of the agent, and as a command of the user.</summary>
internal static class Inside
{
    extension(AshServer server)
    {
        /// <summary>A turn in which the agent runs this by its Bash tool, and then repeats what the tool said.</summary>
        public async Task<string> BashAsync(Guid session, string command)
        {
            var turn = await server.PlayAsync(session, Steps(command));
            Assert.Equal("completed", turn.Reason);
            return turn.Result!; // a completed turn has one
        }

        /// <summary>A Python program as a command of the user.</summary>
        public async Task<string> PythonAsync(Guid session, string code)
        {
            var result = await server.Client.Sessions.ExecAsync(
                session, new ExecRequest { Command = $"python3 -I - <<'END-OF-CODE'\n{code}\nEND-OF-CODE", Timeout = 120_000 });
            Assert.True(result.ExitCode == 0, result.Stderr + result.Stdout);
            return result.Stdout;
        }

        /// <summary>What a command of the user writes to its standard output.</summary>
        public async Task<string> ShellAsync(Guid session, string command) => (await server.ExecAsync(session, command)).Stdout;

        /// <summary>The next version of an agent, from texts.</summary>
        public Task<AgentInfo> DeployAsync(string name, params (string Path, string Text)[] files) =>
            server.Client.Agents.DeployAsync(name, [.. files.Select(file => new AgentFile(
                file.Path,
                Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(file.Text)),
                file.Text.StartsWith("#!", StringComparison.Ordinal)))]);

        public Task<SessionInfo> SessionOfAsync(string agent, string? mode = null) =>
            server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = agent, PermissionMode = mode });

        /// <summary>Processes of the session's sandbox, as the host sees them.</summary>
        public IReadOnlyList<SandboxProcess> ProcessesOf(Guid session)
        {
            var all = server.Processes();
            var sandbox = all.First(process => process.Name == "claude" && IsOf(process, session)).Sandbox;
            return [.. all.Where(process => process.Sandbox == sandbox)];
        }

        /// <summary>The token that the sandbox calls the model with.</summary>
        public async Task<string> TokenOfAsync(Guid session) => await server.ShellAsync(session, "printf %s \"$ANTHROPIC_API_KEY\"");
    }

    public static string Steps(string command) => JsonSerializer.Serialize(new object[]
    {
        new { tool = new { name = "Bash", input = new { command, description = "d", timeout = 60_000 } } },
        new { text = "{{toolResult}}" },
    });

    public static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static bool IsOf(SandboxProcess process, Guid session)
    {
        try
        {
            return File.ReadAllText($"/proc/{process.Pid}/environ").Contains($"ASH_SESSION_ID={session}", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // It ended while we looked.
            return false;
        }
    }
}
