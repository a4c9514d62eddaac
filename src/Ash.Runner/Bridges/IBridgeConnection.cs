using System.Buffers;
using Ash.Protocol.Bridge;

namespace Ash.Runner.Bridges;

/// <summary>The runner's end of a bridge's connection, past its <see cref="Hello"/>.</summary>
public interface IBridgeConnection : IAsyncDisposable
{
    Hello Hello { get; }

    /// <summary>Sends one frame, whole and in the order of the calls. The first must be <see cref="Welcome"/>.</summary>
    /// <exception cref="IOException">The connection is gone; the bridge will dial again.</exception>
    ValueTask SendAsync(BridgeCommand command, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);

    /// <summary>Reads frames until the connection ends, in either way, and returns; throws only on cancellation.</summary>
    /// <remarks>The next frames are read only after the handler is done with those before: that is the backpressure.</remarks>
    Task RunAsync(IBridgeFrameHandler handler, CancellationToken cancellationToken);
}

/// <summary>Takes what a bridge sends.</summary>
public interface IBridgeFrameHandler
{
    /// <summary>One frame. Numbers are checked to ascend by one; <paramref name="payload"/> is valid during the call only.</summary>
    void OnFrame(BridgeEvent header, in ReadOnlySequence<byte> payload);

    /// <summary>Every frame that had arrived so far was given to <see cref="OnFrame"/>.</summary>
    ValueTask OnBatchAsync(CancellationToken cancellationToken);
}
