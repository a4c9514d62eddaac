using Ash.Runner.Streams;

namespace Ash.Runner.Bundles;

/// <summary>A stream whose beginning was read already, from its beginning again.</summary>
/// <param name="start">What was read.</param>
/// <param name="rest">Not owned.</param>
internal sealed class PrecededStream(byte[] start, Stream rest) : PassingStream
{
    private int _position;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = Math.Min(buffer.Length, start.Length - _position);
        if (count == 0)
        {
            return await rest.ReadAsync(buffer, cancellationToken);
        }

        start.AsSpan(_position, count).CopyTo(buffer.Span);
        _position += count;
        return count;
    }
}
