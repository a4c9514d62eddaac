using Ash.Runner.Streams;

namespace Ash.Server.Broker;

/// <summary>A reply as it passes: what is read from it is shown to a scanner, and neither kept nor delayed.</summary>
internal sealed class MeteredStream(Stream reply, IUsageScanner scanner, ForwardOutcome outcome, Action onFirstByte) : PassingStream
{
    private bool _hasBegun;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await reply.ReadAsync(buffer, cancellationToken);

        // A read of nothing only waits for data.
        if (count > 0)
        {
            if (!_hasBegun)
            {
                _hasBegun = true;
                onFirstByte();
            }

            outcome.ResponseBytes += count;
            scanner.Read(buffer.Span[..count]);
        }

        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            reply.Dispose();
        }

        base.Dispose(disposing);
    }
}
