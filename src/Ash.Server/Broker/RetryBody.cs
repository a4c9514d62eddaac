using System.Buffers;
using Ash.Runner.Streams;

namespace Ash.Server.Broker;

/// <summary>A request's body that can be sent more than once.</summary>
/// <remarks>
/// The bytes come from a shared pool. They go back only when every reader has read to the end: an attempt that failed may
/// still be reading, and must never see another sandbox's request. What cannot go back is left to the collector.
/// </remarks>
internal sealed class RetryBody(int length, Action released) : IDisposable
{
    private readonly List<Reader> _readers = [];
    private byte[]? _bytes = ArrayPool<byte>.Shared.Rent(length);

    /// <summary>Whether it can still be sent.</summary>
    public bool IsHeld => _bytes is not null;

    /// <summary>Reads the whole body.</summary>
    public async Task FillAsync(Stream body, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        await body.ReadExactlyAsync(_bytes.AsMemory(0, length), cancellationToken);
    }

    /// <summary>The body from its beginning.</summary>
    public Stream Open()
    {
        ObjectDisposedException.ThrowIf(_bytes is null, this);
        var reader = new Reader(_bytes, length);
        _readers.Add(reader);
        return reader;
    }

    /// <summary>Called when the model's answer has begun, which may be long before its end.</summary>
    public void Dispose()
    {
        if (_bytes is not { } bytes)
        {
            return;
        }

        _bytes = null;

        if (_readers.TrueForAll(reader => reader.IsAtEnd))
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }

        released();
    }

    private sealed class Reader(byte[] bytes, int length) : PassingStream
    {
        private int _position;

        /// <summary>Once true, the bytes are not touched again.</summary>
        public bool IsAtEnd => Volatile.Read(ref _position) == length;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                return ValueTask.FromCanceled<int>(cancellationToken);
            }

            var count = Math.Min(buffer.Length, length - _position);
            bytes.AsSpan(_position, count).CopyTo(buffer.Span);
            Volatile.Write(ref _position, _position + count);
            return ValueTask.FromResult(count);
        }
    }
}
