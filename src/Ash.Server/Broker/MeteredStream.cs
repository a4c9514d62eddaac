namespace Ash.Server.Broker;

/// <summary>A reply as it passes: what is read from it is shown to a scanner, and neither kept nor delayed.</summary>
internal sealed class MeteredStream(Stream reply, IUsageScanner scanner, Action onFirstByte) : Stream
{
    private bool _hasBegun;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

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

            scanner.Read(buffer.Span[..count]);
        }

        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            reply.Dispose();
        }

        base.Dispose(disposing);
    }
}
