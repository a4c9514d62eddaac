using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace Ash.Server.Http;

/// <summary>Compresses what is read, is text and is long enough to be worth it, for clients that say that they take it.</summary>
/// <remarks>
/// Only what an operation is declared to answer with counts, so a new one is left alone until it says what it sends. Never: streams of
/// events, files and archives as they are, parts of something, what has a tag (which names the very bytes), and answers to
/// anything but a GET: a new key, and whatever else is secret, is only ever sent beside nothing that its reader did not choose.
/// </remarks>
internal sealed class Compression(RequestDelegate next)
{
    private const string AcceptEncoding = "Accept-Encoding";

    private readonly ConcurrentDictionary<Endpoint, bool> _compressible = new();

    public Task InvokeAsync(HttpContext context)
    {
        var isRead = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        if (!isRead || context.GetEndpoint() is not { } endpoint || !_compressible.GetOrAdd(endpoint, IsCompressible))
        {
            return next(context);
        }

        // Without it too: a cache between may keep this answer for somebody else.
        context.Response.Headers.Append(HeaderNames.Vary, AcceptEncoding);
        return ContentCoding.Choose(context.Request.Headers.AcceptEncoding) is { } coding ? CompressAsync(context, coding) : next(context);
    }

    private async Task CompressAsync(HttpContext context, ContentCoding coding)
    {
        var plain = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var body = new CompressedBody(context.Response, plain, coding);
        context.Features.Set<IHttpResponseBodyFeature>(body);
        try
        {
            await next(context);
            await body.FinishAsync();
        }
        finally
        {
            // Where it failed, what was held back is dropped: the failure is answered in its place.
            context.Features.Set(plain);
        }
    }

    private static bool IsCompressible(Endpoint endpoint)
    {
        if (endpoint is RouteEndpoint { RoutePattern.RawText: { } pattern } && pattern.TrimStart('/').StartsWith("docs", StringComparison.Ordinal))
        {
            return true;
        }

        if (endpoint.Metadata.GetMetadata<RawBytesMetadata>() is not null)
        {
            return false;
        }

        var success = endpoint.Metadata.GetOrderedMetadata<IProducesResponseTypeMetadata>().Where(static answer => answer.StatusCode < 300).ToList();
        return success.Count > 0 && success.All(static answer => answer.ContentTypes.Any() && answer.ContentTypes.All(ContentCoding.IsText));
    }
}
