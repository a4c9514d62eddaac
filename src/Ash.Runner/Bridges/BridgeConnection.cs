using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Ash.Protocol.Bridge;
using Microsoft.Extensions.Logging;

namespace Ash.Runner.Bridges;

/// <inheritdoc cref="IBridgeConnection"/>
internal sealed partial class BridgeConnection : IBridgeConnection
{
    private const int ReadBufferBytes = 64 * 1024;
    private const int KeptBufferBytes = 1024 * 1024;
    private const long NotWelcomed = -1;

    /// <summary>So many frames are handled, and stored in one commit, before another sandbox's have their turn: a flood delays nobody for long.</summary>
    private const int MaxBatch = 100;

    private readonly string _sandboxId;
    private readonly NetworkStream _stream;
    private readonly PipeReader _reader;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly CancellationTokenSource _closed = new();
    private ArrayBufferWriter<byte> _outgoing = new();
    private Hello? _hello;
    private long _lastNumber = NotWelcomed;
    private int _disposed;

    /// <param name="socket">Accepted; owned from here on.</param>
    public BridgeConnection(string sandboxId, Socket socket, ILogger logger)
    {
        _sandboxId = sandboxId;
        _logger = logger;
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = PipeReader.Create(_stream, new StreamPipeReaderOptions(bufferSize: ReadBufferBytes, leaveOpen: true));
    }

    public Hello Hello => _hello ?? throw new InvalidOperationException("The bridge has not said hello yet.");

    /// <summary>Reads the first frame.</summary>
    /// <exception cref="FrameException">It is no hello, or one of another version.</exception>
    /// <exception cref="IOException">The connection ended first.</exception>
    public async Task ReadHelloAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await _reader.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            if (FrameFormat.TryRead(ref rest, out BridgeEvent frame, out _))
            {
                _hello = frame as Hello ?? throw new FrameException("The first frame must be a hello.");
                Validate(_hello);
                _reader.AdvanceTo(rest.Start);
                return;
            }

            _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted)
            {
                throw new IOException("The connection ended before the bridge's hello.");
            }
        }
    }

    public async ValueTask SendAsync(BridgeCommand command, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        // Waiters are served in the order in which they came.
        await _sending.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            if (_lastNumber == NotWelcomed)
            {
                _lastNumber = command is Welcome welcome
                    ? welcome.Acknowledged
                    : throw new InvalidOperationException("The first frame must be a welcome.");
            }

            _outgoing.ResetWrittenCount();
            FrameFormat.Write(_outgoing, command, payload.Span);

            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closed.Token);
            await _stream.WriteAsync(_outgoing.WrittenMemory, either.Token);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Part of a frame may be out, so nothing after it could be understood.
            await DisposeAsync();
            cancellationToken.ThrowIfCancellationRequested();
            throw failure as IOException ?? new IOException("The connection to the bridge is closed.", failure);
        }
        finally
        {
            if (_outgoing.Capacity > KeptBufferBytes)
            {
                _outgoing = new ArrayBufferWriter<byte>();
            }

            _sending.Release();
        }
    }

    public async Task RunAsync(IBridgeFrameHandler handler, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closed.Token);
        try
        {
            var expected = 0L;
            while (true)
            {
                var read = await _reader.ReadAsync(either.Token);
                var rest = read.Buffer;
                var count = 0;
                while (count < MaxBatch && rest.Length >= expected && FrameFormat.TryRead(ref rest, out BridgeEvent frame, out var payload))
                {
                    CheckNumber(frame);
                    handler.OnFrame(frame, payload);
                    count++;
                    expected = 0;
                }

                // What is left of a full batch may hold whole frames, and is looked at again at once.
                var isFull = count == MaxBatch;
                expected = isFull || expected > 0 || rest.IsEmpty ? expected : FrameFormat.LengthOfEvent(rest);
                _reader.AdvanceTo(rest.Start, isFull ? rest.Start : rest.End);
                if (count > 0)
                {
                    await handler.OnBatchAsync(cancellationToken);
                }

                if (read.IsCompleted && !isFull)
                {
                    return;
                }
            }
        }
        catch (FrameException failure)
        {
            LogRefused(_sandboxId, failure.Message);
        }
        catch (IOException failure)
        {
            LogBroken(_sandboxId, failure.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && _closed.IsCancellationRequested)
        {
            // Closed by this side.
        }
        finally
        {
            await DisposeAsync();
            await _reader.CompleteAsync();
        }
    }

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _closed.Cancel();
            _stream.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private static void Validate(Hello hello)
    {
        if (hello.Protocol != BridgeProtocol.Version)
        {
            throw new FrameException($"The bridge speaks version {hello.Protocol} of the protocol, not {BridgeProtocol.Version}.");
        }

        if (hello.Number != 0 || hello.Head < 0 || hello.Oldest < 1 || hello.Oldest > hello.Head + 1 || hello.Process < 0 || hello.CliPid < 0)
        {
            throw new FrameException("The bridge's hello contradicts itself.");
        }
    }

    private void CheckNumber(BridgeEvent frame)
    {
        if (frame is Hello)
        {
            throw new FrameException("A second hello.");
        }

        var last = Volatile.Read(ref _lastNumber);
        if (last == NotWelcomed)
        {
            throw new FrameException("A frame before the welcome.");
        }

        if (frame.Number != last + 1)
        {
            throw new FrameException($"Frame {frame.Number} follows frame {last}.");
        }

        Volatile.Write(ref _lastNumber, frame.Number);
    }

    [LoggerMessage(LogLevel.Warning, "Closed the connection of sandbox {SandboxId}, whose bridge broke the protocol: {Reason}")]
    private partial void LogRefused(string sandboxId, string reason);

    [LoggerMessage(LogLevel.Debug, "The connection of sandbox {SandboxId} broke: {Reason}")]
    private partial void LogBroken(string sandboxId, string reason);
}
