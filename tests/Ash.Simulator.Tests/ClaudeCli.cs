using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Ash.Simulator.Tests;

/// <summary>The real Claude Code CLI in a folder of its own, talking to a scripted model.</summary>
internal sealed class ClaudeCli : IAsyncDisposable
{
    private const string Version = "2.1.330";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ash-simulator-claude-");
    private readonly Process _process;
    private readonly Task<string> _errors;

    private ClaudeCli(string executable, Uri baseAddress, string? socketPath)
    {
        var workspace = _directory.CreateSubdirectory("workspace");
        var start = new ProcessStartInfo(executable)
        {
            WorkingDirectory = workspace.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        foreach (var argument in (string[])[
            "--output-format", "stream-json", "--verbose", "--input-format", "stream-json", "--include-partial-messages",
            "--permission-mode", "bypassPermissions", "--setting-sources", "project"])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH");
        start.Environment["HOME"] = _directory.CreateSubdirectory("home").FullName;
        start.Environment["CLAUDE_CONFIG_DIR"] = _directory.CreateSubdirectory("config").FullName;
        start.Environment["CLAUDE_CODE_TMPDIR"] = _directory.CreateSubdirectory("tmp").FullName;
        start.Environment["ANTHROPIC_BASE_URL"] = baseAddress.GetLeftPart(UriPartial.Authority);
        start.Environment["ANTHROPIC_API_KEY"] = "dummy";
        start.Environment["CLAUDE_CODE_MAX_RETRIES"] = "2";
        start.Environment["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1";
        start.Environment["DISABLE_TELEMETRY"] = "1";
        start.Environment["DISABLE_ERROR_REPORTING"] = "1";
        start.Environment["DISABLE_AUTOUPDATER"] = "1";
        start.Environment["IS_SANDBOX"] = "1";

        if (socketPath is not null)
        {
            start.Environment["ANTHROPIC_UNIX_SOCKET"] = socketPath;
        }

        _process = Process.Start(start)!; // null only where a shell is asked to open a document
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Where the CLI is, or null.</summary>
    public static string? Executable { get; } = Find();

    public static ClaudeCli Start(SimulatorHost model) => new(Executable!, model.BaseAddress, model.SocketPath);

    /// <summary>Sends a user text, and reads on to the turn's result.</summary>
    public async Task<List<JsonNode>> TakeTurnAsync(string prompt, bool query = true)
    {
        await SendAsync(new()
        {
            ["type"] = "user",
            ["message"] = new JsonObject { ["role"] = "user", ["content"] = prompt },
            ["shouldQuery"] = query,
        });

        return await ReadToAsync(line => (string?)line["type"] == "result");
    }

    /// <summary>Makes an empty file in the CLI's working directory.</summary>
    public void Touch(string name) => File.WriteAllBytes(Path.Combine(_directory.FullName, "workspace", name), []);

    public async Task SendAsync(JsonObject line)
    {
        await _process.StandardInput.WriteLineAsync(line.ToJsonString().AsMemory(), TestContext.Current.CancellationToken);
        await _process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>All lines up to the first that fits.</summary>
    public async Task<List<JsonNode>> ReadToAsync(Func<JsonNode, bool> fits)
    {
        var lines = new List<JsonNode>();

        while (await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } text)
        {
            var line = JsonNode.Parse(text)!;
            lines.Add(line);

            if (fits(line))
            {
                return lines;
            }
        }

        Assert.Fail($"The CLI ended: {await _errors}");
        return lines;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    private static string? Find()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

        return new[]
        {
            Environment.GetEnvironmentVariable("CLAUDE_CODE_EXECUTABLE"),
            Path.Combine(home, ".cache", "ash", "claude", Version, "claude"),
        }.FirstOrDefault(File.Exists);
    }
}
