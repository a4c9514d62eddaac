using Ash.Runner.Streams;

namespace Ash.Runner.Bundles;

/// <summary>Passes on what is read of another stream and counts it; beyond its limit there is no more.</summary>
/// <param name="inner">Not owned.</param>
/// <param name="limit">In bytes.</param>
/// <param name="exceeded">Thrown where there is more.</param>
internal sealed class LimitedStream(Stream inner, long limit, Func<Exception> exceeded) : PassingStream
{
    /// <summary>How much was read so far, in bytes.</summary>
    public long Count { get; private set; }

    public override long Position { get => Count; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Take(await inner.ReadAsync(buffer, cancellationToken));

    public override int Read(byte[] buffer, int offset, int count) => Take(inner.Read(buffer, offset, count));

    private int Take(int read)
    {
        Count += read;
        return Count <= limit ? read : throw exceeded();
    }
}
