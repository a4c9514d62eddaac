using System.IO.Compression;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Ash.Server.Http;

/// <summary>A way to compress an answer, as HTTP names it.</summary>
internal sealed record ContentCoding(string Name)
{
    private static readonly ContentCoding Brotli = new("br");
    private static readonly ContentCoding Gzip = new("gzip");

    /// <summary>Brotli before gzip where the client likes both as much; null where it takes neither.</summary>
    public static ContentCoding? Choose(StringValues accepted)
    {
        if (accepted.Count == 0 || !StringWithQualityHeaderValue.TryParseList(accepted, out var offers))
        {
            return null;
        }

        double? any = null;
        double? brotli = null;
        double? gzip = null;
        foreach (var offer in offers)
        {
            var quality = offer.Quality ?? 1;
            if (offer.Value.Equals(Brotli.Name, StringComparison.OrdinalIgnoreCase))
            {
                brotli = quality;
            }
            else if (offer.Value.Equals(Gzip.Name, StringComparison.OrdinalIgnoreCase))
            {
                gzip = quality;
            }
            else if (offer.Value == "*")
            {
                any = quality;
            }
        }

        var (best, other) = (brotli ?? any ?? 0, gzip ?? any ?? 0);
        return best > 0 && best >= other ? Brotli : other > 0 ? Gzip : null;
    }

    /// <summary>Whether a content type is of a kind that becomes shorter, and that nobody reads as it comes.</summary>
    public static bool IsText(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Value is "application/json" or "application/yaml" or "text/plain" or "text/html" or "text/javascript" or "application/javascript" or "text/css";

    /// <summary>The fastest level: it takes most of what there is to take.</summary>
    public Stream Open(Stream output) => this == Brotli
        ? new BrotliStream(output, CompressionLevel.Fastest, leaveOpen: true)
        : new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true);
}
