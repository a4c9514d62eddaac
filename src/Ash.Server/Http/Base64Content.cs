using System.Buffers;
using System.Buffers.Text;
using Ash.Runner.Streams;

namespace Ash.Server.Http;

/// <summary>The bytes that a string of a JSON body stands for, as they arrive. It ends with the string.</summary>
internal sealed class Base64Content(JsonBodyReader body, string path) : PassingStream
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>Held back until it is clear that more comes: only the last four letters may be padded.</summary>
    private const int Quad = 4;

    private readonly byte[] _letters = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private readonly byte[] _bytes = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _heldBack;
    private int _position;
    private int _decoded;
    private bool _isOver;
    private bool _isDisposed;

    /// <exception cref="RefusedRequestException">It is no base64, or the body is no JSON, or too long.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_position == _decoded && !_isOver)
        {
            await DecodeMoreAsync(cancellationToken);
        }

        var count = Math.Min(buffer.Length, _decoded - _position);
        _bytes.AsSpan(_position, count).CopyTo(buffer.Span);
        _position += count;
        return count;
    }

    /// <summary>Reads what is left of it, for nothing.</summary>
    /// <returns>How many bytes it was.</returns>
    public async Task<long> PassOverAsync(CancellationToken cancellationToken)
    {
        var passed = 0L;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await ReadAsync(buffer, cancellationToken)) > 0)
            {
                passed += read;
            }

            return passed;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            ArrayPool<byte>.Shared.Return(_letters);
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        base.Dispose(disposing);
    }

    private async ValueTask DecodeMoreAsync(CancellationToken cancellationToken)
    {
        var read = await body.ReadTextAsync(_letters.AsMemory(_heldBack, BufferBytes - _heldBack), cancellationToken);
        var count = WithoutLineEnds(_heldBack, read);
        _isOver = read == 0;
        if (_isOver)
        {
            // Many leave the padding out.
            while (count % Quad > 1)
            {
                _letters[count++] = (byte)'=';
            }
        }

        var whole = _isOver ? count : Math.Max(0, (count / Quad * Quad) - Quad);
        var status = Base64.DecodeFromUtf8(_letters.AsSpan(0, whole), _bytes, out var consumed, out _decoded);
        if (status != OperationStatus.Done || consumed != whole || (!_isOver && _decoded != whole / Quad * 3))
        {
            throw new RefusedRequestException($"{path} is not base64");
        }

        _position = 0;
        _heldBack = count - whole;
        _letters.AsSpan(whole, _heldBack).CopyTo(_letters);
    }

    /// <returns>How many letters there are.</returns>
    private int WithoutLineEnds(int start, int length)
    {
        var end = start;
        foreach (var letter in _letters.AsSpan(start, length))
        {
            if (letter is not ((byte)'\r' or (byte)'\n' or (byte)' ' or (byte)'\t'))
            {
                _letters[end++] = letter;
            }
        }

        return end;
    }
}
