using Microsoft.Extensions.Options;

namespace Ash.Server.Broker;

/// <summary>Where requests are kept until the model has answered, within one limit for all sandboxes. Thread-safe.</summary>
internal sealed class RetryBuffers(IOptions<BrokerOptions> options)
{
    private long _reserved;

    /// <summary>What is kept now, in bytes.</summary>
    public long Reserved => Interlocked.Read(ref _reserved);

    /// <summary>Room for a body of this length, or null where the call has to be sent without a copy of it.</summary>
    /// <remarks>A body of unknown length is not kept: the CLI always says how long its bodies are.</remarks>
    public RetryBody? TryReserve(long? contentLength)
    {
        if (contentLength is not { } length || length > options.Value.MaxReplayBytes)
        {
            return null;
        }

        if (Interlocked.Add(ref _reserved, length) > options.Value.MaxReplayBytesInAll)
        {
            Release(length);
            return null;
        }

        return new RetryBody((int)length, () => Release(length));
    }

    private void Release(long length) => Interlocked.Add(ref _reserved, -length);
}
