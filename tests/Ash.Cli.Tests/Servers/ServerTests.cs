using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Ash.Cli.Tests.Servers;

public sealed partial class ServerTests : IDisposable
{
    private readonly TestHome _home = new();

    public ServerTests()
    {
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            _home.Environment[(string)variable.Key] = (string)variable.Value!; // A variable has a value.
        }

        _home.Environment.Remove("ASH_DATA_DIR");
        _home.Environment.Remove("ASH_API_KEY");
        _home.Environment.Remove("ASH_SERVER_URL");
        var program = _home.Write("bin/ash-server", $"#!/bin/sh\nexec '{Environment.ProcessPath}' \"$0\" \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _home.ProgramFolder = Path.Combine(_home.Folder, "bin");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string LogFile => Path.Combine(_home.Folder, ".ash", "logs", "server.log");

    [Fact]
    public async Task Server_IsStarted_Shown_AndStopped()
    {
        try
        {
            var start = await _home.RunAsync("start", "--port", "0", "-e", "GREETER=the test");
            Assert.Equal(ExitCodes.Ok, start.ExitCode);
            Assert.Contains("Ash server is running.\n  URL:      http://localhost:", start.Out, StringComparison.Ordinal);
            Assert.Contains($"  Data dir: {_home.Folder}/.ash\n  Model:    scripted\n", start.Out, StringComparison.Ordinal);
            Assert.Contains("waiting for: the sandbox self-test", start.Error, StringComparison.Ordinal);
            Assert.EndsWith("\nWarning: no model key\n", start.Error, StringComparison.Ordinal);
            Assert.Equal("first-key", _home.Config("api_key"));
            Assert.False(File.Exists(Path.Combine(_home.Folder, ".ash", "initial-api-key")));

            var again = await _home.RunAsync("start", "--port", "0");
            Assert.Equal(ExitCodes.Ok, again.ExitCode);
            Assert.StartsWith("Ash server is already running.", again.Out, StringComparison.Ordinal);

            var status = await _home.RunAsync("status");
            Assert.Equal(ExitCodes.Ok, status.ExitCode);
            Assert.Contains("Server: running\n", status.Out, StringComparison.Ordinal);
            Assert.Contains("  Active sessions: 3\n  Active sandboxes: 2\n  Uptime: 2s\n", status.Out, StringComparison.Ordinal);

            var pid = JsonDocument.Parse((await _home.RunAsync("status", "--json")).Out).RootElement.GetProperty("pid").GetInt32();
            Assert.Equal(pid, SessionOf(pid));

            Assert.Equal("hello from the test\nWarning: no model key\n", (await _home.RunAsync("logs")).Out);
        }
        finally
        {
            Assert.Equal("Ash server stopped.\n", (await _home.RunAsync("stop")).Out);
        }

        Assert.Equal(ExitCodes.NoServer, (await _home.RunAsync("status")).ExitCode);
        Assert.Equal("No Ash server is running.\n", (await _home.RunAsync("stop")).Out);
    }

    [Fact]
    public async Task ServerThatEndsAtOnce_ShowsItsLog()
    {
        _home.Write(".ash/logs/server.log", "of yesterday\n");

        var run = await _home.RunAsync("start", "-e", "FAIL=the port is taken");

        Assert.Equal(ExitCodes.Failed, run.ExitCode);
        Assert.Contains("cannot start: the port is taken", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("yesterday", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServerInTheForeground_TakesThePlaceOfTheCommand()
    {
        var run = await _home.RunAsync("start", "--foreground", "--port", "5", "--data-dir", "/data");

        Assert.Equal(42, run.ExitCode);
        Assert.Equal(["--port", "5", "--data-dir", "/data"], Assert.Single(_home.Became).Arguments);
    }

    [Fact]
    public async Task Port_IsThatOfTheEnvironment_UnlessOneIsGiven()
    {
        _home.Environment["ASH_PORT"] = "7";
        await _home.RunAsync("start", "--foreground");
        await _home.RunAsync("start", "--foreground", "--port", "8");
        _home.Environment["ASH_PORT"] = "seven";
        var nonsense = await _home.RunAsync("start");

        Assert.Equal(["7", "8"], _home.Became.Select(program => program.Arguments[1]));
        Assert.Equal((ExitCodes.Usage, "ASH_PORT is not a port: \"seven\""), (nonsense.ExitCode, nonsense.Error.Trim()));
    }

    [Fact]
    public async Task MissingServer_IsNamed_WithWhereItIsLookedFor()
    {
        _home.ProgramFolder = "/nonexistent";
        _home.Environment["PATH"] = "/nonexistent";

        var run = await _home.RunAsync("start");

        Assert.Equal(ExitCodes.Failed, run.ExitCode);
        Assert.Contains("ASH_SERVER_ENTRY", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_IsFoundByVariable_AndOnThePath()
    {
        var folder = _home.ProgramFolder;
        _home.ProgramFolder = "/nonexistent";
        _home.Environment["PATH"] = $"/nonexistent:{folder}";
        await _home.RunAsync("simulate");
        _home.Environment["ASH_SERVER_ENTRY"] = _home.Write("else/ash-server.dll");
        await _home.RunAsync("simulate");

        Assert.Equal([Path.Combine(folder, "ash-server"), "dotnet"], _home.Became.Select(program => program.Path));
    }

    [Fact]
    public async Task ProcessOfAnotherKind_IsNotStopped()
    {
        _home.Write(
            ".ash/server.json",
            string.Create(CultureInfo.InvariantCulture, $$"""{"id":"x","pid":{{Environment.ProcessId}},"port":1}"""));

        Assert.Equal("No Ash server is running.\n", (await _home.RunAsync("stop")).Out);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ServerOfAnotherFolder_IsNotStopped_WhereItHasGotTheNumberOfOneThatCrashed(bool hasLock)
    {
        var program = _home.Write("else/ash-server", "#!/bin/sh\nread line\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var other = Process.Start(new ProcessStartInfo(program) { RedirectStandardInput = true })!;
        while (!(await File.ReadAllTextAsync($"/proc/{other.Id}/cmdline", Cancellation)).Contains("else/ash-server", StringComparison.Ordinal))
        {
            await Task.Yield();
        }

        _home.Write(
            ".ash/server.json", string.Create(CultureInfo.InvariantCulture, $$"""{"id":"x","pid":{{other.Id}},"port":1}"""));
        if (hasLock)
        {
            _home.Write(".ash/lock");
        }

        try
        {
            Assert.Equal("No Ash server is running.\n", (await _home.RunAsync("stop")).Out);
            Assert.Equal(ExitCodes.NoServer, (await _home.RunAsync("status")).ExitCode);
            Assert.False(other.HasExited);
        }
        finally
        {
            other.StandardInput.Close();
            await other.WaitForExitAsync(Cancellation);
        }

        Assert.Equal(1, other.ExitCode);
    }

    [Fact]
    public async Task Server_GetsNoFile_ThatItsStarterHasOpen()
    {
        // As a shell does that waits for others: exec 9>lock; flock 9; ash start
        var open = _home.Write("starters-lock");
        var descriptor = Open(open, flags: 2);
        Assert.True(descriptor > 2);
        try
        {
            Assert.Equal(ExitCodes.Ok, (await _home.RunAsync("start", "--port", "0")).ExitCode);
            var pid = JsonDocument.Parse((await _home.RunAsync("status", "--json")).Out).RootElement.GetProperty("pid").GetInt32();

            var files = Directory.GetFiles($"/proc/{pid}/fd").Select(link => new FileInfo(link).LinkTarget);

            Assert.DoesNotContain(open, files);
        }
        finally
        {
            _ = Close(descriptor);
            await _home.RunAsync("stop");
        }
    }

    [Fact]
    public async Task Logs_TakesTheTerminalNothing()
    {
        _home.Write(".ash/logs/server.log", "\e[2J\e]0;title\aone\ttwo\u202ethree\n\u009b1mfour\n");
        using var stop = new CancellationTokenSource();
        using var output = new WatchedWriter(
            ("four\n", () => File.AppendAllText(LogFile, "\e[31mfi\rve\u0085\n")),
            ("ve", stop.Cancel));

        await _home.RunAsync(["logs", "-f"], output: output, cancellationToken: stop.Token);

        Assert.Equal("[2J]0;titleone\ttwothree\n1mfour\n[31mfive\n", output.ToString());
    }

    [Fact]
    public async Task ServerThatEndsAtOnce_TakesTheTerminalNothing()
    {
        var run = await _home.RunAsync("start", "-e", "FAIL=\e[2Jgone");

        Assert.Contains("cannot start: [2Jgone", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logs_ShowsTheLastLines()
    {
        _home.Write(".ash/logs/server.log", "1\n2\n3\n");

        Assert.Equal("2\n3\n", (await _home.RunAsync("logs", "-n", "2")).Out);
    }

    [Fact]
    public async Task Logs_FollowsWhatIsAdded_UntilCtrlC()
    {
        _home.Write(".ash/logs/server.log", "1\n");
        using var stop = new CancellationTokenSource();
        using var output = new WatchedWriter(
            ("1\n", () => File.AppendAllText(LogFile, "zwei – ☕\n")),
            ("1\nzwei – ☕\n", stop.Cancel));

        var run = await _home.RunAsync(["logs", "-f"], output: output, cancellationToken: stop.Token);

        Assert.Equal(ExitCodes.Ok, run.ExitCode);
    }

    [Fact]
    public async Task Logs_SaysWhereThereAreNone()
    {
        var run = await _home.RunAsync("logs");

        Assert.Equal(ExitCodes.Failed, run.ExitCode);
        Assert.Contains("ash start", run.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _home.Dispose();

    /// <summary>The session id of a process: its own pid where it leads one.</summary>
    private static int SessionOf(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[3], CultureInfo.InvariantCulture);
    }

    // Not as .NET opens files, which children never get.
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
