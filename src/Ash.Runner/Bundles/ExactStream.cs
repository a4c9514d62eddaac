using Ash.Runner.Streams;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Bundles;

/// <summary>A file's first bytes, as many as were promised: a file that shrinks meanwhile goes on with zeros, one that grows is
/// cut.</summary>
/// <param name="file">Not owned.</param>
/// <param name="length">In bytes.</param>
internal sealed class ExactStream(SafeFileHandle file, long length) : PassingStream
{
    private bool _isOver;

    /// <summary>It only knows its length, which is what an archive's writer asks for.</summary>
    public override bool CanSeek => true;

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
}
