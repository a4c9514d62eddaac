using System.Net;
using System.Net.Http.Headers;

namespace Ash.Client;

/// <summary>JSON that is sent piece by piece, so that its sender can say how far it is.</summary>
/// <param name="json">All of it.</param>
/// <param name="sent">Told which part is on its way, from 0 to 1; may be null.</param>
internal sealed class MeteredJsonContent : HttpContent
{
    private const int PieceBytes = 64 * 1024;

    private readonly byte[] _json;
    private readonly IProgress<double>? _sent;

    public MeteredJsonContent(byte[] json, IProgress<double>? sent)
    {
        (_json, _sent) = (json, sent);
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        for (var from = 0; from < _json.Length; from += PieceBytes)
        {
            var piece = _json.AsMemory(from, Math.Min(PieceBytes, _json.Length - from));
            await stream.WriteAsync(piece, cancellationToken).ConfigureAwait(false);
            _sent?.Report((double)(from + piece.Length) / _json.Length);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _json.Length;
        return true;
    }
}
