using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;

namespace Ash.Server.Broker;

/// <summary>The headers that pass the broker, by name; all others are left behind.</summary>
/// <remarks>
/// Inwards, so that nothing a sandbox sends can act as a credential, as an address or on the connection; outwards, so that a
/// sandbox learns nothing of the operator: the API names the organisation and its limits in every answer.
/// </remarks>
internal static class ModelHeaders
{
    private static readonly FrozenSet<string> Request = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, "Accept", "User-Agent", "X-App");

    private static readonly string[] RequestPrefixes = ["anthropic-", "x-claude-code-", "x-stainless-"];

    private static readonly FrozenSet<string> RequestContent = FrozenSet.Create(StringComparer.OrdinalIgnoreCase, "Content-Type");

    private static readonly FrozenSet<string> Response = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "Request-Id", "Retry-After", "Retry-After-Ms");

    public static void CopyRequest(IHeaderDictionary from, HttpRequestMessage to)
    {
        foreach (var (name, values) in from)
        {
            if (!IsPlain(values))
            {
                continue;
            }

            if (Request.Contains(name) || RequestPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
            {
                to.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
            else if (RequestContent.Contains(name))
            {
                to.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }

        if (from.ContentLength is { } length && to.Content is { } content)
        {
            content.Headers.ContentLength = length;
        }
    }

    public static void CopyResponse(HttpResponseMessage from, IHeaderDictionary to)
    {
        Copy(from.Headers.NonValidated, to);
        Copy(from.Content.Headers.NonValidated, to);
    }

    private static void Copy(System.Net.Http.Headers.HttpHeadersNonValidated from, IHeaderDictionary to)
    {
        foreach (var (name, values) in from)
        {
            if (Response.Contains(name))
            {
                to[name] = new StringValues([.. values]);
            }
        }
    }

    /// <summary>HttpClient fails on anything but ASCII, which would look like a failure of the model.</summary>
    private static bool IsPlain(StringValues values)
    {
        foreach (var value in values)
        {
            if (value is not null && value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            {
                return false;
            }
        }

        return true;
    }
}
