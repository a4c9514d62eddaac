using System.Net;

namespace Ash.Client.Events;

/// <summary>Decides whether a failed attempt is followed by another, and waits until then.</summary>
internal sealed class Retries(ReconnectOptions options, TimeProvider clock, Random random)
{
    private int _attempts;
    private bool _wasAnswered;

    /// <summary>The server has answered: from now on its absence is a break, not a wrong address.</summary>
    public void Answered() => _wasAnswered = true;

    /// <summary>Something new arrived, so all attempts are to be had again.</summary>
    public void Progressed() => _attempts = 0;

    /// <summary>Whether a failure of this kind passes by itself.</summary>
    public bool MayRetry(Exception failure) => _attempts < options.MaxAttempts && failure switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } => _wasAnswered,
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => false,
        HttpRequestException or IOException => true,
        AshApiException { StatusCode: var status } => _wasAnswered && IsPassing(status),
        _ => false,
    };

    /// <summary>Waits before the next attempt: half of the doubled time for sure, the other half by chance.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var doubled = options.InitialDelay * Math.Pow(2, Math.Min(_attempts, 30));
        var longest = doubled < options.MaxDelay ? doubled : options.MaxDelay;
        _attempts++;
        return Task.Delay(longest * (0.5 + (random.NextDouble() / 2)), clock, cancellationToken);
    }

    private static bool IsPassing(HttpStatusCode status) => status
        is HttpStatusCode.RequestTimeout
        or HttpStatusCode.TooManyRequests
        or HttpStatusCode.InternalServerError
        or HttpStatusCode.BadGateway
        or HttpStatusCode.ServiceUnavailable
        or HttpStatusCode.GatewayTimeout;
}
