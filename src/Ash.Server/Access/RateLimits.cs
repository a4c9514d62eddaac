using System.Globalization;
using Ash.Server.Configuration;
using Ash.Server.Http;

namespace Ash.Server.Access;

/// <summary>How much a key may ask for: requests in all, and apart from them what is dear to make (contract 3.0.1).</summary>
internal sealed class RateLimits(ServerSettings settings, TimeProvider clock)
{
    private readonly RateWindows<Guid>? _requests = settings.RateLimit == 0
        ? null
        : new RateWindows<Guid>(settings.RateLimit, settings.RateLimitWindow, clock);

    private readonly RateWindows<(Guid Key, string What)>? _creates = settings.CreateRateLimit == 0
        ? null
        : new RateWindows<(Guid Key, string What)>(settings.CreateRateLimit, settings.RateLimitWindow, clock);

    private readonly string _requestLimit = Text(settings.RateLimit);
    private readonly string _createLimit = Text(settings.CreateRateLimit);

    /// <summary>Counts a request and tells the client how it stands.</summary>
    /// <returns>Why the request is refused; null where it is not.</returns>
    public Problem? Count(HttpContext context, Caller caller)
    {
        var key = caller.KeyId ?? Guid.Empty;
        var create = context.GetEndpoint()?.Metadata.GetMetadata<CreateLimit>();
        var counted = create is null ? _requests?.Take(key) : _creates?.Take((key, create.What));
        if (counted is not { } window)
        {
            return null;
        }

        var headers = context.Response.Headers;
        headers["x-ratelimit-limit"] = create is null ? _requestLimit : _createLimit;
        headers["x-ratelimit-remaining"] = Text(window.Remaining);
        headers["x-ratelimit-reset"] = Text(Math.Ceiling(window.Reset.TotalSeconds));
        return window.IsExceeded ? Problems.RateLimited(window.Reset) : null;
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
