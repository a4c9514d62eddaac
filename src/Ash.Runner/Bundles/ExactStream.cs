using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Bundles;

/// <summary>A file's first bytes, as many as were promised: a file that shrinks meanwhile goes on with zeros, one that grows is
/// cut.</summary>
/// <param name="file">Not owned.</param>
/// <param name="length">In bytes.</param>
internal sealed class ExactStream(SafeFileHandle file, long length) : Stream
{
    private bool _isOver;

    public override bool CanRead => true;

    /// <summary>It only knows its length, which is what an archive's writer asks for.</summary>
    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        buffer = buffer[..(int)Math.Min(buffer.Length, length - Position)];
        if (buffer.Length == 0)
        {
            return 0;
        }

        var read = _isOver ? 0 : await RandomAccess.ReadAsync(file, buffer, Position, cancellationToken);
        if (read == 0)
        {
            _isOver = true;
            buffer.Span.Clear();
            read = buffer.Length;
        }

        Position += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
