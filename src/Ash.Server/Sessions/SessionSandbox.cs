using System.Buffers;
using System.Collections.Concurrent;
using Ash.Protocol.Bridge;
using Ash.Runner.Bridges;
using Ash.Runner.Sandboxes;

namespace Ash.Server.Sessions;

/// <summary>A session's live sandbox: its processes, its bridge however often that reconnects, its broker socket.</summary>
/// <remarks>
/// Commands that the bridge has not answered are kept and sent again on its next connection; it executes each once.
/// Frames go to the listener in order, a batch at a time, and are acknowledged when the listener is done with the batch.
/// </remarks>
internal sealed partial class SessionSandbox : IBridgeFrameHandler, IAsyncDisposable
{
    private readonly ISandbox _sandbox;
    private readonly IDisposable _brokerSocket;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ConcurrentDictionary<string, Outstanding> _outstanding = new();
    private readonly ConcurrentDictionary<string, ExecCapture> _captures = new();
    private readonly TaskCompletionSource<Hello> _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closing = new();
    private readonly List<BridgeItem> _batch = [];
    private ISandboxListener? _listener;
    private IBridgeConnection? _connection;
    private readonly SemaphoreSlim _serving = new(1, 1);
    private Task _running = Task.CompletedTask;
    private bool _isLost;
    private long _order;

    public SessionSandbox(ISandbox sandbox, IDisposable brokerSocket, byte[] tokenHash, long lastFrame, ILogger logger)
    {
        _sandbox = sandbox;
        _brokerSocket = brokerSocket;
        _logger = logger;
        TokenHash = tokenHash;
        LastFrame = lastFrame;
    }

    public string Id => _sandbox.Identity.Id;

    public SandboxIdentity Identity => _sandbox.Identity;

    /// <summary>SHA-256 of the token that its model calls carry.</summary>
    public byte[] TokenHash { get; }

    /// <summary>The newest frame whose effects are stored.</summary>
    public long LastFrame { get; private set; }

    /// <summary>The process of the CLI inside; only looked at by the session, under its gate.</summary>
    public CliProcess Cli { get; } = new();

    /// <summary>Completes with the first hello.</summary>
    public Task<Hello> Connected => _connected.Task;

    public Task<SandboxExit> Exited => _sandbox.Exited;

    /// <summary>How many commands of users run inside right now.</summary>
    public int RunningExecs => _captures.Count;

    /// <summary>Begins to read the bridge. What it says goes to the listener until the sandbox is closed.</summary>
    public void Listen(ISandboxListener listener)
    {
        _listener = listener;
        _running = Task.Run(() => RunAsync(_closing.Token));
        _ = Task.Run(WatchExitAsync);
    }

    /// <summary>Sends a command and returns once it was written, or is kept for the next connection.</summary>
    public async Task PostAsync(IdentifiedCommand command, ReadOnlyMemory<byte> payload = default) => await KeepAndSendAsync(command, payload);

    /// <summary>Sends a command; completes with the bridge's answer, however often the connection breaks in between.</summary>
    /// <remarks>Never awaited under the session's gate: the answer comes through it.</remarks>
    public async Task<CommandDone> SendAsync(IdentifiedCommand command, ReadOnlyMemory<byte> payload = default)
    {
        var outstanding = await KeepAndSendAsync(command, payload);
        return await outstanding.Done.Task;
    }

    /// <summary>Runs a command of a user inside and collects what it writes.</summary>
    /// <exception cref="SandboxException">It could not be started, or the sandbox was lost meanwhile.</exception>
    public async Task<ExecCapture> ExecAsync(string command, int timeoutMs, CancellationToken cancellationToken)
    {
        var id = $"exec/{Guid.CreateVersion7()}";
        var capture = new ExecCapture();
        _captures[id] = capture;
        try
        {
            await using var cancelling = cancellationToken.Register(() => _ = SendAsync(new KillExec(id + "/kill", id)));
            var started = await SendAsync(new Exec(id, command, timeoutMs));
            if (!started.Ok)
            {
                throw new SandboxException(started.Error ?? "the command could not be started");
            }

            await capture.Exited.Task;
            return capture;
        }
        finally
        {
            _captures.TryRemove(id, out _);
        }
    }

    void IBridgeFrameHandler.OnFrame(BridgeEvent header, in ReadOnlySequence<byte> payload)
    {
        switch (header)
        {
            case CommandDone done:
                if (_outstanding.TryRemove(done.Id, out var outstanding))
                {
                    outstanding.Done.TrySetResult(done);
                }

                break;
            case ExecOutput output when _captures.TryGetValue(output.Id, out var capture):
                capture.Add(output.Stream, payload);
                break;
            case ExecExited exited when _captures.TryGetValue(exited.Id, out var capture):
                capture.Exited.TrySetResult(exited);
                break;
        }

        _batch.Add(new BridgeItem(header, header is CliLine or CliErrorLine ? payload.ToArray() : null));
    }

    async ValueTask IBridgeFrameHandler.OnBatchAsync(CancellationToken cancellationToken)
    {
        if (_batch.Count == 0)
        {
            return;
        }

        var last = _batch[^1].Header.Number;
        await _listener!.OnBatchAsync(this, _batch, last);
        _batch.Clear();
        LastFrame = last;

        Storage.HoldPoints.Reach(Storage.HoldPoint.BeforeAcknowledge);
        if (_connection is { } connection)
        {
            await TrySendAsync(connection, new Acknowledge(last), default);
        }
    }

    /// <summary>Ends every process and lets go of everything. Returns when nothing is left.</summary>
    public async Task KillAsync()
    {
        await _sandbox.KillAsync();
        await DisposeAsync();
    }

    /// <summary>Lets go of the sandbox and leaves its processes alone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
        {
            return;
        }

        await _closing.CancelAsync();
        _brokerSocket.Dispose();
        await _sandbox.DisposeAsync();
        await _running;
        _connected.TrySetException(new SandboxException("The sandbox ended before its bridge was up."));
        FailOutstanding();
    }

    private async Task<Outstanding> KeepAndSendAsync(IdentifiedCommand command, ReadOnlyMemory<byte> payload)
    {
        await _sending.WaitAsync();
        try
        {
            var outstanding = new Outstanding(_order++, command, payload);
            if (_isLost)
            {
                outstanding.Done.TrySetException(Lost());
                return outstanding;
            }

            _outstanding[command.Id] = outstanding;
            if (_connection is { } connection)
            {
                await TrySendAsync(connection, command, payload);
            }

            return outstanding;
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var connection in _sandbox.Connections.ReadAllAsync(cancellationToken))
            {
                await using (connection)
                {
                    await ServeAsync(connection, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Closed by its owner.
        }
    }

    /// <summary>Tells the listener of the end once everything that was said before it has been heard.</summary>
    private async Task WatchExitAsync()
    {
        var exit = await _sandbox.Exited;
        await _serving.WaitAsync();
        _serving.Release();
        if (!_closing.IsCancellationRequested)
        {
            await _listener!.OnExitedAsync(this, exit);
        }
    }

    private async Task ServeAsync(IBridgeConnection connection, CancellationToken cancellationToken)
    {
        await _serving.WaitAsync(cancellationToken);
        try
        {
            if (await GreetAsync(connection, cancellationToken))
            {
                await connection.RunAsync(this, cancellationToken);
            }
        }
        catch (Exception failure) when (failure is Storage.StoreException or FrameException)
        {
            // What was not stored was not acknowledged either: the bridge dials again and says it again.
            LogConnectionLost(failure, Id);
        }
        finally
        {
            _connection = null;
            _serving.Release();
        }
    }

    private async Task<bool> GreetAsync(IBridgeConnection connection, CancellationToken cancellationToken)
    {
        _batch.Clear();
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await connection.SendAsync(new Welcome(LastFrame), default, cancellationToken);
            foreach (var outstanding in _outstanding.Values.OrderBy(static o => o.Order))
            {
                await connection.SendAsync(outstanding.Command, outstanding.Payload, cancellationToken);
            }

            _connection = connection;
        }
        catch (IOException failure)
        {
            LogConnectionLost(failure, Id);
            return false;
        }
        finally
        {
            _sending.Release();
        }

        _connected.TrySetResult(connection.Hello);
        return true;
    }

    private static async Task<bool> TrySendAsync(IBridgeConnection connection, BridgeCommand command, ReadOnlyMemory<byte> payload)
    {
        try
        {
            await connection.SendAsync(command, payload, CancellationToken.None);
            return true;
        }
        catch (IOException)
        {
            // It is sent again on the next connection, where it still matters.
            return false;
        }
    }

    private void FailOutstanding()
    {
        _isLost = true;
        var lost = Lost();
        foreach (var outstanding in _outstanding.Values)
        {
            outstanding.Done.TrySetException(lost);
        }

        foreach (var capture in _captures.Values)
        {
            capture.Exited.TrySetException(lost);
        }
    }

    private static SandboxException Lost() => new("The sandbox was lost.");

    private sealed record Outstanding(long Order, IdentifiedCommand Command, ReadOnlyMemory<byte> Payload)
    {
        public TaskCompletionSource<CommandDone> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(LogLevel.Warning, "The bridge's connection of sandbox {SandboxId} broke; it dials again")]
    private partial void LogConnectionLost(Exception failure, string sandboxId);
}
