using System.Net;
using System.Text.Json.Nodes;

namespace Ash.Simulator.Tests;

public sealed class SimulateCommandTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ash-simulate-");
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _directory.Delete(recursive: true);
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task Command_Serves_SaysWhere_AndStops()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var ready = Path.Combine(_directory.FullName, "ready.json");
        using var watcher = new FileSystemWatcher(_directory.FullName);
        var isReady = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Renamed += (_, renamed) => isReady.TrySetResult();
        watcher.EnableRaisingEvents = true;

        var running = SimulateCommand.RunAsync(["--port", "0", "--ready", ready, "--key", "k"], _output, _error, stop.Token);
        await Task.WhenAny(running, isReady.Task.WaitAsync(Cancelled));
        Assert.False(running.IsCompleted, _error.ToString());
        var info = JsonNode.Parse(await File.ReadAllTextAsync(ready, Cancelled))!;
        var url = $"http://127.0.0.1:{info["port"]}";

        using (var client = new HttpClient())
        {
            using var response = await client.GetAsync(new Uri($"{url}/v1/models"), Cancelled);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }

        await stop.CancelAsync();
        Assert.Equal(0, await running);
        Assert.Contains($"ASH_MODEL_BASE_URL={url} ANTHROPIC_API_KEY=k", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("#1 GET /v1/models  -> 401", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(Environment.ProcessId, (int)info["pid"]!);
    }

    [Theory]
    [InlineData("--port")]
    [InlineData("--port", "70000")]
    [InlineData("--host", "example.org")]
    [InlineData("--nothing")]
    public async Task WrongArguments_AreNamed(params string[] args)
    {
        Assert.Equal(2, await SimulateCommand.RunAsync(args, _output, _error, Cancelled));
        Assert.Contains(args[0], _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingScript_IsNamed()
    {
        var script = Path.Combine(_directory.FullName, "none.json");

        Assert.Equal(1, await SimulateCommand.RunAsync(["--port", "0", "--script", script], _output, _error, Cancelled));
        Assert.Contains(script, _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_ListsTheOptions()
    {
        Assert.Equal(0, await SimulateCommand.RunAsync(["--help"], _output, _error, Cancelled));
        Assert.All(
            ["--port", "--host", "--unix", "--script", "--key", "--log", "--ready", "--quiet"],
            option => Assert.Contains(option, _output.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void Arguments_HaveDefaults()
    {
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 4190), SimulateArguments.Parse([]).Endpoint);
        Assert.Null(SimulateArguments.Parse(["--unix", "/tmp/x.sock"]).Endpoint);
        Assert.Equal(7, SimulateArguments.Parse(["--unix", "/tmp/x.sock", "--port", "7"]).Endpoint!.Port);
    }
}
