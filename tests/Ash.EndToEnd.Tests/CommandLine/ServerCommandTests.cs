using System.Text.Json;
using System.Text.RegularExpressions;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.CommandLine;

/// <summary><c>ash start</c> and what belongs to it, with the published server.</summary>
public sealed partial class ServerCommandTests : IDisposable
{
    private readonly AshHome _home = new();

    public ServerCommandTests() => _home.UsePublishedPrograms();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Server_IsStarted_Used_AndStopped_WithNothingLeft()
    {
        string id;
        try
        {
            var start = await _home.OutputOfAsync("start", "--port", "0", "-e", "ASH_MODEL=scripted");
            Assert.Contains("Ash server is running.\n", start, StringComparison.Ordinal);
            Assert.Contains("Model:    scripted\n", start, StringComparison.Ordinal);
            _home.Environment["ASH_SERVER_URL"] = UrlLine().Match(start).Groups[1].Value;
            Assert.StartsWith("ash_", _home.Config("api_key"), StringComparison.Ordinal);

            Assert.StartsWith("Ash server is already running.\n", await _home.OutputOfAsync("start"), StringComparison.Ordinal);
            Assert.Contains("Model: scripted\n", await _home.OutputOfAsync("status"), StringComparison.Ordinal);

            var session = await _home.CreateSessionAsync();
            Assert.Equal("[Mock] Turn 1 | History: hello\n", await _home.OutputOfAsync("session", "send", session, "hello"));
            Assert.Contains("Started sandbox", await _home.OutputOfAsync("logs"), StringComparison.Ordinal);
            id = ServerId();
            Assert.NotEmpty(SandboxProcess.OfServer(id));
        }
        finally
        {
            Assert.Equal("Ash server stopped.\n", await _home.OutputOfAsync("stop"));
        }

        Assert.Empty(SandboxProcess.OfServer(id));
        Assert.Equal(5, (await _home.RunAsync("status")).ExitCode);
        Assert.Equal("No Ash server is running.\n", await _home.OutputOfAsync("stop"));
    }

    [Fact]
    public async Task ServerWithoutAModelKey_Starts_AndSaysWhatItLacks()
    {
        try
        {
            var start = await _home.RunAsync("start", "--port", "0");

            Assert.Equal(0, start.ExitCode);
            Assert.Contains("Warning: no model key", start.Error, StringComparison.Ordinal);
            Assert.Contains("ANTHROPIC_API_KEY", start.Error, StringComparison.Ordinal);
        }
        finally
        {
            await _home.OutputOfAsync("stop");
        }
    }

    [Fact]
    public async Task ServerThatCannotStart_SaysAllThatIsWrong()
    {
        var start = await _home.RunAsync("start", "--port", "0", "-e", "ASH_MODEL=imagined", "-e", "ASH_PAUSE_GRACE=soon");

        Assert.Equal(1, start.ExitCode);
        Assert.Contains("ASH_MODEL: \"imagined\" is not one of scripted, claude", start.Error, StringComparison.Ordinal);
        Assert.Contains("ASH_PAUSE_GRACE: \"soon\" is not a duration", start.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Simulate_IsAModelApi_UntilCtrlC()
    {
        using var simulate = _home.Start("simulate", "--port", "0");
        await simulate.WaitForOutputAsync("\n");

        simulate.Interrupt();

        var run = await simulate.EndAsync();
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("http://127.0.0.1:", run.Out, StringComparison.Ordinal);
    }

    private string ServerId()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_home.Folder, ".ash", "server.json")));
        return file.RootElement.GetProperty("id").GetString()!; // The server writes it.
    }

    [GeneratedRegex(@"URL: +(\S+)\n")]
    private static partial Regex UrlLine();
}
