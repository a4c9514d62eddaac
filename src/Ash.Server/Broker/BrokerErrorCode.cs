namespace Ash.Server.Broker;

/// <summary>What the broker says in its own name: the message of such an error begins with the code and a colon.</summary>
internal static class BrokerErrorCode
{
    public const string ModelNotConfigured = "model_not_configured";
    public const string UpstreamUnreachable = "model_unreachable";
    public const string UpstreamTimeout = "model_timeout";
    public const string RequestTooLarge = "request_too_large";
    public const string RequestBroken = "request_broken";
    public const string NetworkDenied = "network_denied";
    public const string RateLimited = "broker_rate_limited";
    public const string TokenMissing = "token_missing";
    public const string NotAllowed = "path_not_allowed";
}
