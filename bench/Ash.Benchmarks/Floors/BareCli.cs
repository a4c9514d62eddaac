using System.Diagnostics;
using System.Text.Json;
using Ash.Server.Runners;
using Ash.Simulator;

namespace Ash.Benchmarks.Floors;

/// <summary>The CLI without a sandbox and without Ash: the product's arguments and environment, and a scripted model on its socket.</summary>
internal sealed class BareCli : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("ash-bench-").FullName;
    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private BareCli(ProductCli like, string modelSocket)
    {
        var workspace = Directory.CreateDirectory(Path.Combine(_folder, "workspace")).FullName;
        Directory.CreateDirectory(Path.Combine(workspace, ".claude"));
        File.WriteAllText(Path.Combine(workspace, "CLAUDE.md"), BenchServer.Prompt);
        File.WriteAllText(Path.Combine(workspace, ".mcp.json"), string.Empty);
        var home = Directory.CreateDirectory(Path.Combine(_folder, "home")).FullName;
        var start = new ProcessStartInfo(Programs.Cli(), like.Arguments.Select(WithOwnSession))
        {
            WorkingDirectory = workspace,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in like.Environment)
        {
            start.Environment[name] = value;
        }

        start.Environment["HOME"] = home;
        start.Environment["CLAUDE_CONFIG_DIR"] = Path.Combine(home, ".claude");
        start.Environment["ANTHROPIC_UNIX_SOCKET"] = modelSocket;
        start.Environment["IS_SANDBOX"] = "1"; // Root may bypass permissions only so.
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public static BareCli Start(ProductCli like, SimulatorHost model) => new(like, model.SocketPath!); // The caller's has one.

    /// <summary>Opens the conversation as Ash does.</summary>
    public void Initialize() => Write(
        $$"""{"type":"control_request","request_id":"floor","request":{"subtype":"initialize","systemPrompt":[{{JsonSerializer.Serialize(BenchServer.Prompt)}}]} }""");

    public Task WaitUntilInitializedAsync() => WaitForAsync("\"control_response\"", 1);

    public void Send(string text) => Write(
        $$"""{"type":"user","message":{"role":"user","content":"{{text}}"},"parent_tool_use_id":null,"session_id":"","uuid":"{{Guid.CreateVersion7()}}"}""");

    /// <summary>Waits for the end of its first, second … turn.</summary>
    public Task WaitForResultAsync(int number) => WaitForAsync("\"type\":\"result\"", number);

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string WithOwnSession(string argument) =>
        argument.StartsWith("--session-id=", StringComparison.Ordinal) ? $"--session-id={Guid.NewGuid()}" : argument;

    private void Write(string line)
    {
        _process.StandardInput.Write(line + "\n");
        _process.StandardInput.Flush();
    }

    private void Add(string? line)
    {
        lock (_gate)
        {
            _lines.Add(line ?? "(end)");
            _changed.SetResult();
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private async Task WaitForAsync(string part, int number)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_lines.Count(line => line.Contains(part, StringComparison.Ordinal)) >= number)
                {
                    return;
                }

                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"The CLI did not say {part}: {string.Join('\n', _lines)}");
            }
        }
    }
}
