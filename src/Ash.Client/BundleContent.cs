using System.Net;
using System.Net.Http.Headers;

namespace Ash.Client;

/// <summary>A gzipped tar archive, as it is read.</summary>
/// <param name="bundle">Read from where it is to its end; not owned, as <see cref="StreamContent"/> would.</param>
internal sealed class BundleContent : HttpContent
{
    private readonly Stream _bundle;

    public BundleContent(Stream bundle)
    {
        _bundle = bundle;
        Headers.ContentType = new MediaTypeHeaderValue("application/gzip");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        _bundle.CopyToAsync(stream, cancellationToken);

    protected override bool TryComputeLength(out long length)
    {
        length = _bundle.CanSeek ? _bundle.Length - _bundle.Position : 0;
        return _bundle.CanSeek;
    }
}
