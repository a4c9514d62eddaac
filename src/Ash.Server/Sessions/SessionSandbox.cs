using System.Buffers;
using System.Collections.Concurrent;
using Ash.Protocol.Bridge;
using Ash.Runner.Bridges;
using Ash.Runner.Sandboxes;
using Ash.Server.Runners;

namespace Ash.Server.Sessions;

/// <summary>A session's live sandbox: its processes, its bridge however often that reconnects, its broker socket.</summary>
/// <remarks>
/// Commands that the bridge has not answered are kept and sent again on its next connection; it executes each once.
/// Frames go to the listener in order, a batch at a time, and are acknowledged once the listener has stored them.
/// All writing is done by one loop per connection: a bridge that does not read stops nobody but itself.
/// </remarks>
internal sealed partial class SessionSandbox : IBridgeFrameHandler, IAsyncDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>The bridge itself ends a command at its timeout; so long after that it must have said so.</summary>
    private static readonly TimeSpan ExecPatience = TimeSpan.FromSeconds(30);

    /// <summary>In percent of the server's: whatever runs inside, the server answers.</summary>
    private const int CpuWeight = 25;

    private const int BackgroundCpuWeight = 3;
    private readonly ISandbox _sandbox;
    private readonly IDisposable _brokerSocket;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Outstanding> _outstanding = [];
    private readonly SemaphoreSlim _somethingToSend = new(0, 1);
    private readonly ConcurrentDictionary<string, ExecCapture> _captures = new();
    private readonly TaskCompletionSource<Hello> _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closing = new();
    private readonly List<BridgeItem> _batch = [];
    private readonly TimeProvider _clock;
    private readonly SemaphoreSlim _serving = new(1, 1);
    private readonly TaskCompletionSource<ISandboxListener> _owner = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private bool _isLost;
    private long _order;
    private long _lastFrame;
    private long _newestFrame;
    private int _refusedCalls;
    private bool? _isWaitedFor;

    public SessionSandbox(
        ISandbox sandbox, SandboxPlace place, IDisposable brokerSocket, byte[] tokenHash, long lastFrame, TimeProvider clock, ILogger logger)
    {
        _sandbox = sandbox;
        Place = place;
        _brokerSocket = brokerSocket;
        _logger = logger;
        TokenHash = tokenHash;
        _lastFrame = lastFrame;
        _clock = clock;
    }

    public string Id => _sandbox.Identity.Id;

    public SandboxIdentity Identity => _sandbox.Identity;

    /// <summary>What it takes of the machine, until it is removed.</summary>
    public SandboxPlace Place { get; }

    /// <summary>SHA-256 of the token that its model calls carry.</summary>
    public byte[] TokenHash { get; }

    /// <summary>The newest frame whose effects are stored.</summary>
    public long LastFrame => Volatile.Read(ref _lastFrame);

    /// <inheritdoc cref="ISandbox.FreezeAsync"/>
    public Task<bool> FreezeAsync(CancellationToken cancellationToken) => _sandbox.FreezeAsync(cancellationToken);

    /// <inheritdoc cref="ISandbox.Thaw"/>
    public void Thaw() => _sandbox.Thaw();

    /// <summary>How often the kernel has killed a process inside at the memory limit.</summary>
    public long OutOfMemoryKills => _sandbox.ReadUsage()?.OutOfMemoryKills ?? 0;

    /// <summary>The process of the CLI inside; only looked at by the session, under its gate.</summary>
    public CliProcess Cli { get; } = new();

    /// <summary>Completes with the first hello.</summary>
    public Task<Hello> Connected => _connected.Task;

    public Task<SandboxExit> Exited => _sandbox.Exited;

    /// <summary>Counts a model call that was refused.</summary>
    /// <returns>How many that makes.</returns>
    public int CountRefusedCall() => Interlocked.Increment(ref _refusedCalls);

    /// <summary>How many commands the bridge has not answered.</summary>
    public int Unanswered
    {
        get
        {
            lock (_gate)
            {
                return _outstanding.Count;
            }
        }
    }

    /// <summary>How many commands of users run inside right now.</summary>
    public int RunningExecs => _captures.Count;

    /// <summary>Begins to read the bridge. What it says waits until somebody owns the sandbox.</summary>
    public void Listen()
    {
        _running = Task.Run(() => RunAsync(_closing.Token));
        _ = Task.Run(WatchExitAsync);
    }

    /// <summary>Whoever gets to hear from now on what has been said and what will be.</summary>
    public void GiveTo(ISandboxListener owner) => _owner.SetResult(owner);

    /// <summary>Its share of a busy machine: a little while nobody waits for it, its full one from the first work on.</summary>
    public void SetPriority(bool isWaitedFor)
    {
        if (_isWaitedFor != isWaitedFor)
        {
            _isWaitedFor = isWaitedFor;
            _sandbox.SetCpuWeight(isWaitedFor ? CpuWeight : BackgroundCpuWeight);
        }
    }

    /// <summary>The listener has stored everything up to this frame: the bridge may forget it, and says it never again.</summary>
    public void MarkStored(long frame)
    {
        Volatile.Write(ref _lastFrame, frame);
        Signal();
    }

    /// <summary>Hands a command over to be sent, now or on the next connection. Never waits for the bridge.</summary>
    public void Post(IdentifiedCommand command, ReadOnlyMemory<byte> payload = default) => Keep(command, payload);

    /// <summary>Sends a command; completes with the bridge's answer, however often the connection breaks in between.</summary>
    /// <remarks>Never awaited under the session's gate: the answer comes through it.</remarks>
    public Task<CommandDone> SendAsync(IdentifiedCommand command, ReadOnlyMemory<byte> payload = default) =>
        Keep(command, payload).Done.Task;

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

            await capture.Exited.Task.WaitAsync(TimeSpan.FromMilliseconds(timeoutMs) + ExecPatience, _clock, CancellationToken.None);
            return capture;
        }
        catch (TimeoutException)
        {
            throw new SandboxException("The sandbox did not say how the command ended.");
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
                Settle(done);
                break;
            case ExecOutput output when output.Number > _newestFrame && _captures.TryGetValue(output.Id, out var capture):
                capture.Add(output.Stream, payload);
                break;
            case ExecExited exited when _captures.TryGetValue(exited.Id, out var capture):
                capture.Exited.TrySetResult(exited);
                break;
        }

        // What is said again on a new connection was captured when it was first said.
        _newestFrame = Math.Max(_newestFrame, header.Number);
        _batch.Add(new BridgeItem(header, header is CliLine or CliErrorLine ? payload.ToArray() : null));
    }

    async ValueTask IBridgeFrameHandler.OnBatchAsync(CancellationToken cancellationToken)
    {
        if (_batch.Count == 0 || (!_owner.Task.IsCompleted && _batch.TrueForAll(static item => item.Header is CommandDone)))
        {
            // Answers were heard as they came; they are counted with whatever an owner hears first.
            return;
        }

        var owner = await _owner.Task.WaitAsync(cancellationToken);
        await owner.OnBatchAsync(this, _batch, _batch[^1].Header.Number);
        _batch.Clear();
    }

    /// <summary>Ends every process and lets go of everything. Returns when nothing is left.</summary>
    public async Task KillAsync()
    {
        try
        {
            await _sandbox.KillAsync();
        }
        finally
        {
            await DisposeAsync();
        }
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

    private Outstanding Keep(IdentifiedCommand command, ReadOnlyMemory<byte> payload)
    {
        Outstanding outstanding;
        lock (_gate)
        {
            outstanding = new Outstanding(_order++, command, payload);
            if (_isLost)
            {
                outstanding.Done.TrySetException(Lost());
                return outstanding;
            }

            _outstanding[command.Id] = outstanding;
        }

        Signal();
        return outstanding;
    }

    private void Settle(CommandDone done)
    {
        Outstanding? outstanding;
        lock (_gate)
        {
            _outstanding.Remove(done.Id, out outstanding);
        }

        outstanding?.Done.TrySetResult(done);
    }

    private void Signal()
    {
        lock (_gate)
        {
            if (_somethingToSend.CurrentCount == 0)
            {
                _somethingToSend.Release();
            }
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
            (await _owner.Task).OnExited(this, exit);
        }
    }

    private async Task ServeAsync(IBridgeConnection connection, CancellationToken cancellationToken)
    {
        await _serving.WaitAsync(cancellationToken);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var writing = Task.CompletedTask;
        try
        {
            _batch.Clear();
            await connection.SendAsync(new Welcome(LastFrame), default, cancellationToken);
            _connected.TrySetResult(connection.Hello);
            writing = WriteAsync(connection, ending.Token);
            await connection.RunAsync(this, cancellationToken);
        }
#pragma warning disable CA1031 // The outermost loop of a connection: whatever its frames led to must not be the last of them.
        catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
        {
            // What was not stored was not acknowledged either: the bridge dials again and says it again.
            LogConnectionLost(failure, Id);
            await Task.Delay(RetryDelay, _clock, cancellationToken);
        }
        finally
        {
            await ending.CancelAsync();
            await connection.DisposeAsync();
            await writing;
            _serving.Release();
        }
    }

    /// <summary>Writes what is kept and what is posted, and acknowledges what is stored, until the connection ends.</summary>
    private async Task WriteAsync(IBridgeConnection connection, CancellationToken cancellationToken)
    {
        var sent = -1L;
        var acknowledged = LastFrame;
        try
        {
            while (true)
            {
                foreach (var outstanding in After(sent))
                {
                    await connection.SendAsync(outstanding.Command, outstanding.Payload, cancellationToken);
                    sent = outstanding.Order;
                }

                if (LastFrame is var stored && stored > acknowledged)
                {
                    Storage.HoldPoints.Reach(Storage.HoldPoint.BeforeAcknowledge);
                    await connection.SendAsync(new Acknowledge(stored), default, cancellationToken);
                    acknowledged = stored;
                }

                await _somethingToSend.WaitAsync(cancellationToken);
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection is gone: what is outstanding goes out again on the next.
        }
    }

    private List<Outstanding> After(long order)
    {
        lock (_gate)
        {
            return [.. _outstanding.Values.Where(o => o.Order > order).OrderBy(static o => o.Order)];
        }
    }

    private void FailOutstanding()
    {
        List<Outstanding> left;
        lock (_gate)
        {
            _isLost = true;
            left = [.. _outstanding.Values];
            _outstanding.Clear();
        }

        var lost = Lost();
        foreach (var outstanding in left)
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
