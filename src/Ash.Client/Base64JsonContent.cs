using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;

namespace Ash.Client;

/// <summary>JSON with a file in it, in base64, read and written piece by piece.</summary>
/// <param name="before">What stands before the file.</param>
/// <param name="file">Read from where it is to its end; not owned.</param>
/// <param name="after">What stands behind it.</param>
internal sealed class Base64JsonContent : HttpContent
{
    // A multiple of three: only the last piece is padded.
    private const int PieceBytes = 48 * 1024;

    private readonly byte[] _before;
    private readonly Stream _file;
    private readonly byte[] _after;

    public Base64JsonContent(byte[] before, Stream file, byte[] after)
    {
        (_before, _file, _after) = (before, file, after);
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(_before, cancellationToken).ConfigureAwait(false);
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        var letters = ArrayPool<byte>.Shared.Rent(Base64.GetMaxEncodedToUtf8Length(PieceBytes));
        try
        {
            int read;
            while ((read = await ReadPieceAsync(piece, cancellationToken).ConfigureAwait(false)) > 0)
            {
                Base64.EncodeToUtf8(piece.AsSpan(0, read), letters, out _, out var written);
                await stream.WriteAsync(letters.AsMemory(0, written), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
            ArrayPool<byte>.Shared.Return(letters);
        }

        await stream.WriteAsync(_after, cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _file.CanSeek ? _before.Length + ((_file.Length - _file.Position + 2) / 3 * 4) + _after.Length : 0;
        return _file.CanSeek;
    }

    private ValueTask<int> ReadPieceAsync(byte[] piece, CancellationToken cancellationToken) =>
        _file.ReadAtLeastAsync(piece.AsMemory(0, PieceBytes), PieceBytes, throwOnEndOfStream: false, cancellationToken);
}
