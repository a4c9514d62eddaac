using System.Net;
using System.Net.Sockets;
using Ash.Testing;
using static Ash.EndToEnd.Tests.StartUp.ServerRun;

namespace Ash.EndToEnd.Tests.StartUp;

/// <summary>A server that cannot start says everything that is wrong at once, with its remedy, and leaves nothing behind.</summary>
public sealed class RefusedStartTests : IDisposable
{
    private const int TimeLimit = 60_000;
    private readonly TemporaryFolder _folder = new();

    [Fact(Timeout = TimeLimit)]
    public async Task ThreeWrongSettings_AreAllNamed_AndNothingIsMade()
    {
        var run = await RunAsync(
            Settings(("ASH_PORT", "many"), ("ASH_ISOLATION", "none"), ("ASH_TURN_TIMEOUT", "soon")), "--data-dir", _folder["data"]);

        AssertRefused(
            run,
            "ASH_PORT: \"many\" is not a whole number from 0 to 65535",
            "ASH_ISOLATION: \"none\" is not one of full, reduced",
            "ASH_TURN_TIMEOUT: \"soon\" is not a duration; write 500ms, 30s, 10m, 2h or 7d");
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task EverythingThatIsWrong_IsListedAtOnce()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await File.WriteAllTextAsync(_folder["file"], "in the way");

        var run = await RunAsync(
            Settings(
                ("ASH_SHUTDOWN", "perhaps"),
                ("PATH", _folder.Path),
                ("ASH_BRIDGE_ENTRY", null),
                ("XDG_CACHE_HOME", _folder["no-cache"])),
            "--data-dir", _folder["file"], "--port", $"{port}", "--verbose");

        AssertRefused(
            run,
            "--verbose: is not an argument of ash-server; --help lists them",
            "ASH_SHUTDOWN: \"perhaps\" is not one of drain, keep",
            $"ASH_PORT: port {port} is taken; choose another with --port",
            $"ASH_DATA_DIR: {_folder["file"]} is a file, not a folder; choose another with --data-dir",
            "bubblewrap: `bwrap` was not found. Install it: `apt-get install bubblewrap`, or `make setup`.",
            $"bridge: {Path.GetDirectoryName(TestPaths.Server)}/ash-bridge does not exist. Run `make setup`, or name it in ASH_BRIDGE_ENTRY.",
            $"claude: {_folder["no-cache"]}/ash/claude/2.1.330/claude does not exist. Run `make setup`, which installs version 2.1.330, or name it in CLAUDE_CODE_EXECUTABLE.");
    }

    [Fact(Timeout = TimeLimit)]
    public async Task TakenPort_IsNamed_AndTheFolderIsNotMade()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var run = await RunAsync(Settings(("ASH_PORT", $"{port}")), "--data-dir", _folder["data"]);

        AssertRefused(run, $"ASH_PORT: port {port} is taken; choose another with --port");
        Assert.False(Directory.Exists(_folder["data"]));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task AddressOfAnotherMachine_IsNamed()
    {
        var run = await RunAsync(Settings(), "--host", "192.0.2.1", "--port", "0", "--data-dir", _folder["data"]);

        AssertRefused(run, "ASH_HOST: 192.0.2.1 is not an address of this machine; choose another with --host");
    }

    [Fact(Timeout = TimeLimit)]
    public async Task FolderOfAnotherServer_IsRefused_WithItsPidAndPort()
    {
        await using var server = await AshServer.StartAsync();

        var run = await RunAsync(Settings(), "--port", "0", "--data-dir", server.DataDirectory);

        AssertRefused(
            run,
            $"ASH_DATA_DIR: {server.DataDirectory} is in use by the server with pid {server.Pid} on port {server.Port}; stop it, or choose another with --data-dir");
        var session = await server.CreateSessionAsync();
        Assert.Equal("completed", (await server.SendAsync(session.Id, "still here?")).Reason);
    }

    [Fact(Timeout = TimeLimit)]
    public async Task FolderOnAReadOnlyFileSystem_IsRefused()
    {
        var run = await RunInOwnMountsAsync(
            """mount -t tmpfs -o ro none "$WHERE"; exec "$ASH" --port 0 --data-dir "$WHERE/data" """,
            Settings(("WHERE", _folder.Path)));

        AssertRefused(
            run,
            $"ASH_DATA_DIR: {_folder["data"]} cannot be written ({_folder.Path}: Read-only file system); choose another with --data-dir, or change its owner");
    }

    [Fact(Timeout = TimeLimit)]
    public async Task FolderWithOtherThings_IsRefused_AndKeepsItsMode()
    {
        await File.WriteAllTextAsync(_folder["thesis.txt"], "years of work");
        const UnixFileMode Open = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(_folder.Path, Open);

        var run = await RunAsync(Settings(), "--port", "0", "--data-dir", _folder.Path);

        AssertRefused(
            run, $"ASH_DATA_DIR: {_folder.Path} holds other things than a server's (\"thesis.txt\"); choose an empty or a new folder with --data-dir");
        Assert.Equal(Open, File.GetUnixFileMode(_folder.Path));
        Assert.Equal([_folder["thesis.txt"]], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task DamagedServerFile_IsNamed()
    {
        await File.WriteAllTextAsync(_folder["server.json"], "{\"id\":");

        var run = await RunAsync(Settings(), "--port", "0", "--data-dir", _folder.Path);

        AssertRefused(run, $"ASH_DATA_DIR: {_folder.Path}/server.json is damaged; remove this file, and the server makes a new one");
    }

    [Fact(Timeout = TimeLimit)]
    public async Task DamagedStore_IsNamed_WithoutATrace()
    {
        await File.WriteAllTextAsync(_folder["ash.db"], new string('x', 4096));

        var run = await RunAsync(Settings(), "--port", "0", "--data-dir", _folder.Path);

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("ash-server: cannot start: SQLite Error 26: 'file is not a database'", run.Error, StringComparison.Ordinal);
        Assert.Contains(_folder.Path, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = TimeLimit)]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("--port", "7", "--help")]
    public async Task Help_ListsTheArguments(params string[] arguments)
    {
        var run = await RunAsync(Settings(), arguments);

        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
        Assert.All(["--port N", "--host ADDRESS", "--data-dir DIR", "simulate", "--version"], word => Assert.Contains(word, run.Out, StringComparison.Ordinal));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task Version_IsOneLine()
    {
        var run = await RunAsync(Settings(), "--version");

        Assert.Equal((0, string.Empty), (run.ExitCode, run.Error));
        Assert.Matches(@"^\d+\.\d+\.\d+\S*\n$", run.Out);
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertRefused(ServerRun run, params string[] problems)
    {
        Assert.Equal(problems.Select(problem => $"ash-server: {problem}"), run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(string.Empty, run.Out);
    }
}
