using System.Buffers;
using System.Text;
using System.Threading.Channels;
using Ash.Protocol.Bridge;
using Ash.Runner.Bridges;
using Ash.Runner.Sandboxes;

namespace Ash.Runner.Tests.Testing;

/// <summary>A sandbox in which a test runs commands.</summary>
internal sealed class TestSandbox : IAsyncDisposable, IBridgeFrameHandler
{
    private readonly Channel<(BridgeEvent Header, byte[] Payload)> _frames = Channel.CreateUnbounded<(BridgeEvent, byte[])>();
    private readonly IBridgeConnection _connection;
    private readonly Task _running;
    private int _commands;

    private TestSandbox(ISandbox sandbox, SandboxSpec spec, IBridgeConnection connection)
    {
        Sandbox = sandbox;
        Spec = spec;
        _connection = connection;
        _running = RunAsync();
    }

    public ISandbox Sandbox { get; }

    public SandboxSpec Spec { get; }

    public long LastNumber { get; private set; }

    public static async Task<TestSandbox> WelcomeAsync(
        ISandbox sandbox, SandboxSpec spec, long acknowledged, CancellationToken cancellationToken)
    {
        var connection = await sandbox.Connections.ReadAsync(cancellationToken);
        await connection.SendAsync(new Welcome(acknowledged), default, cancellationToken);
        return new TestSandbox(sandbox, spec, connection) { LastNumber = acknowledged };
    }

    public Task SendAsync(BridgeCommand command) =>
        _connection.SendAsync(command, default, TestContext.Current.CancellationToken).AsTask();

    /// <summary>Runs <c>sh -c</c> in the workspace to its end.</summary>
    public async Task<Result> ExecAsync(string command)
    {
        var id = $"{Sandbox.Identity.Id}/{Interlocked.Increment(ref _commands)}/{LastNumber}";
        await SendAsync(new Configure($"{id}/env", new Dictionary<string, string>
        {
            ["PATH"] = "/usr/local/bin:/usr/bin:/usr/sbin",
            ["HOME"] = "/home/agent",
        }));
        await SendAsync(new Exec(id, command, TimeoutMs: 30_000));

        var output = new StringBuilder();
        var error = new StringBuilder();
        await foreach (var (header, payload) in _frames.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            switch (header)
            {
                case ExecOutput part when part.Id == id:
                    (part.Stream == "stdout" ? output : error).Append(Encoding.UTF8.GetString(payload));
                    break;
                case ExecExited exited when exited.Id == id:
                    Assert.False(exited.TimedOut, $"{command} took too long; it wrote: {output}{error}");
                    return new Result(exited.Code ?? (128 + exited.Signal!.Value), output.ToString(), error.ToString());
                case CommandDone { Ok: false } refused when refused.Id == id:
                    throw new InvalidOperationException(refused.Error);
                default:
                    break;
            }
        }

        throw new IOException("The sandbox ended while a command ran in it.");
    }

    /// <summary>Runs a Python program.</summary>
    public Task<Result> PythonAsync(string program)
    {
        File.WriteAllText(Path.Combine(Spec.WorkspacePath, "probe.py"), program);
        return ExecAsync("python3 /workspace/probe.py");
    }

    public void OnFrame(BridgeEvent header, in ReadOnlySequence<byte> payload)
    {
        LastNumber = header.Number;
        _frames.Writer.TryWrite((header, payload.ToArray()));
    }

    public async ValueTask OnBatchAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _connection.SendAsync(new Acknowledge(LastNumber), default, cancellationToken);
        }
        catch (IOException)
        {
            // The bridge has gone; its frames are read to their end all the same.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Sandbox.KillAsync();
        await _connection.DisposeAsync();
        await _running;
    }

    /// <summary>Leaves the sandbox alone, as a server that ends does.</summary>
    public async Task LetGoAsync()
    {
        await Sandbox.DisposeAsync();
        await _running;
    }

    private async Task RunAsync()
    {
        await _connection.RunAsync(this, CancellationToken.None);
        _frames.Writer.TryComplete();
    }

    public sealed record Result(int Code, string Output, string Error)
    {
        public IReadOnlyList<string> Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
