using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Ash.Cli.Agents;
using Ash.Client.Tests.Scripted;
using Ash.Protocol.Api;

namespace Ash.Cli.Tests.Agents;

public sealed class DeployTests
{
    private const string AgentJson =
        """{"agent":{"id":"019a0000-0000-7000-8000-000000000002","name":"my-bot","tenantId":"default","version":3,"path":"/x","contentHash":"00","createdAt":"2026-01-15T10:00:00.000Z","updatedAt":"2026-01-15T10:00:00.000Z"}}""";

    [Fact]
    public async Task Folder_IsDeployed_UnderItsNormalizedName_WithItsEnvironment()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("POST /api/agents", AgentJson, 201);
        using var home = new TestHome();
        home.Write("my bot!/CLAUDE.md", "# Bot");
        home.Write("my bot!/.env", "A=1\nB=1\n# comment\nexport C=\"x y\" # why\nD=plain # why\n");
        home.Write("my bot!/.env.local", "B=2");
        home.Write("my bot!/.env.production", "P=1");

        var run = await home.RunAsync(
            "deploy", Path.Combine(home.Folder, "my bot!") + "/", "-e", "E=5=5", "-e", "A=3", "--server", $"{api.Url}");

        Assert.Equal((ExitCodes.Ok, ""), (run.ExitCode, run.Error));
        Assert.Equal(
            """
            Normalized agent name: "my bot!" → "my-bot"
            Loaded 4 env var(s) from .env + .env.local
            Uploading 2 file(s) (8 B)...
            Deployed agent "my-bot" (v3)
              env: A, B, C, D, E

            """,
            run.Out);
        var sent = JsonSerializer.Deserialize(Assert.Single(api.Requests).Body, ApiJson.Default.DeployAgentRequest);
        Assert.Equal("my-bot", sent!.Name);
        Assert.Equal("A=3 B=2 C=x y D=plain E=5=5", string.Join(' ', sent.Env!.Select(pair => $"{pair.Key}={pair.Value}")));
        Assert.Equal([".env.production", "CLAUDE.md"], sent.Files!.Select(file => file.Path));
        Assert.Equal("# Bot", Encoding.UTF8.GetString(Convert.FromBase64String(sent.Files![1].Content)));
    }

    [Fact]
    public async Task FolderWithoutClaudeMd_IsNotDeployed()
    {
        using var home = new TestHome();

        var run = await home.RunAsync("deploy", home.Folder);

        Assert.Equal(ExitCodes.Failed, run.ExitCode);
        Assert.Equal($"Agent directory must contain CLAUDE.md: {home.Folder}", run.Error.Trim());
    }

    [Fact]
    public async Task NameOfNothingButWrongCharacters_IsRefused()
    {
        using var home = new TestHome();

        var run = await home.RunAsync("deploy", home.Folder, "--name", "!!");

        Assert.Equal((ExitCodes.Usage, "Invalid agent name: \"!!\""), (run.ExitCode, run.Error.Trim()));
    }

    [Fact]
    public void LeftoversAndSecrets_StayAtHome()
    {
        using var home = new TestHome();
        string[] kept = ["CLAUDE.md", ".claude/settings.json", ".env.production", "src/lib/a.txt", "tmp.txt"];
        string[] skipped =
        [
            "node_modules/x.js", "src/.git/HEAD", "a/__pycache__/b", ".cache/x", "venv/x", "tmp/x", ".DS_Store", ".env", "prod.env",
            "x.env.local", "a.sock", "yarn.lock", "b.pid",
        ];

        foreach (var path in kept.Concat(skipped))
        {
            home.Write($"agent/{path}");
        }

        Assert.Equal(kept.Order(StringComparer.Ordinal), Read(home).Files.Select(file => file.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ExecutableFile_StaysExecutable()
    {
        using var home = new TestHome();
        home.Write("agent/data.txt");
        File.SetUnixFileMode(home.Write("agent/run.sh"), UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Assert.Equal([("data.txt", false), ("run.sh", true)], Read(home).Files.Select(file => (file.Path, file.Executable)));
    }

    [Fact]
    public void Links_AreFollowedInsideTheFolder_AndNowhereElse()
    {
        using var home = new TestHome();
        home.Write("secret.txt", "secret");
        home.Write("outside/key.txt", "secret");
        home.Write("agent/real/a.txt", "a");
        home.Write("agent/.env", "SECRET=1");
        Link("agent/b.txt", "real/a.txt");
        Link("agent/folder", "real");
        Link("agent/out.txt", "../secret.txt");
        Link("agent/absolute", "/etc/passwd");
        Link("agent/outside", "../outside");
        Link("agent/around", "outside/key.txt");
        Link("agent/hidden", ".env");
        Link("agent/nowhere", "missing");
        Link("agent/real/loop", "..");

        var folder = Read(home);

        Assert.Equal(["b.txt", "folder/a.txt", "real/a.txt"], folder.Files.Select(file => file.Path));
        Assert.Equal(3, folder.TotalBytes);
        Assert.Equal(
            ["absolute", "around", "folder/loop", "hidden", "nowhere", "out.txt", "outside", "real/loop"],
            folder.LeftOut.Select(left => left[..left.IndexOf(':', StringComparison.Ordinal)]));

        void Link(string path, string target) => File.CreateSymbolicLink(Path.Combine(home.Folder, path), target);
    }

    [Fact]
    public async Task Pipe_IsNotWaitedFor()
    {
        using var home = new TestHome();
        home.Write("agent/CLAUDE.md");
        using var mkfifo = Process.Start("mkfifo", Path.Combine(home.Folder, "agent", "pipe"));
        await mkfifo.WaitForExitAsync(TestContext.Current.CancellationToken);

        var folder = Read(home);

        Assert.Equal(["CLAUDE.md"], folder.Files.Select(file => file.Path));
        Assert.Equal(["pipe: neither a file nor a folder"], folder.LeftOut);
    }

    private static AgentFolder Read(TestHome home) =>
        AgentFolder.Read(Path.Combine(home.Folder, "agent"), TestContext.Current.CancellationToken);
}
