using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;

namespace Ash.Server.Broker;

/// <summary>The broker's own answers, in the model API's shape, or as text for programs that took it for a proxy.</summary>
internal static class BrokerAnswers
{
    /// <summary>Tells the CLI whether a repetition could help.</summary>
    public const string ShouldRetry = "x-should-retry";

    public static Task ModelNotConfiguredAsync(HttpContext context) => WriteAsync(
        context, 401, "authentication_error", BrokerErrorCode.ModelNotConfigured,
        "No model key is configured on the Ash server. Set ANTHROPIC_API_KEY in its environment and start it again.",
        isFinal: true);

    public static Task TokenMissingAsync(HttpContext context) => WriteAsync(
        context, 401, "authentication_error", BrokerErrorCode.TokenMissing,
        "A model call must carry the sandbox's token as x-api-key.", isFinal: true);

    public static Task RefusedAsync(HttpContext context, ModelCallVerdict.Refused refusal) => WriteAsync(
        context, 403, "permission_error", refusal.Code, refusal.Message, isFinal: true);

    public static Task NotAllowedAsync(HttpContext context)
    {
        context.Response.Headers.Connection = "close";
        return WriteAsync(
            context, 404, "not_found_error", BrokerErrorCode.NotAllowed,
            "Only POST /v1/messages and POST /v1/messages/count_tokens are served here.", isFinal: true);
    }

    public static Task TooLargeAsync(HttpContext context, long limit) => WriteAsync(
        context, 413, "request_too_large", BrokerErrorCode.RequestTooLarge,
        $"The request is larger than {limit} bytes.", isFinal: true);

    public static Task NetworkDeniedAsync(HttpContext context, string reason) => WriteAsync(
        context, 403, "permission_error", BrokerErrorCode.NetworkDenied, reason, isFinal: true);

    /// <summary>Not final: a sandbox that asks too much waits, and goes on.</summary>
    public static Task RateLimitedAsync(HttpContext context, TimeSpan wait)
    {
        context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return WriteAsync(
            context, 429, "rate_limit_error", BrokerErrorCode.RateLimited,
            "This sandbox calls the model too often. Wait and try again.", isFinal: false);
    }

    public static Task UnreachableAsync(HttpContext context, bool isFinal) => WriteAsync(
        context, 502, "api_error", BrokerErrorCode.UpstreamUnreachable,
        "The Ash server could not reach the model, or lost it before it answered.", isFinal);

    public static Task TimedOutAsync(HttpContext context, bool isFinal) => WriteAsync(
        context, 504, "api_error", BrokerErrorCode.UpstreamTimeout, "The model did not answer in time.", isFinal);

    public static Task BrokenRequestAsync(HttpContext context, int status) => WriteAsync(
        context, status, "invalid_request_error", BrokerErrorCode.RequestBroken,
        "The request's body did not arrive as announced, or too slowly.", isFinal: true);

    /// <summary>For curl, npm, pip and their like. A CONNECT's body is shown by few of them, its reason phrase by most.</summary>
    public static async Task EgressDeniedAsync(HttpContext context)
    {
        var body = "Network access is denied: this Ash release has no egress policy, so a sandbox reaches nothing but the model.\n"u8
            .ToArray();

        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = "Network access is denied by Ash";

        // What the CLI's own WebFetch looks for: the model then reads that the host is blocked, not that a proxy failed.
        context.Response.Headers["X-Proxy-Error"] = "blocked-by-allowlist";
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = body.Length;
        context.Response.Headers.Connection = "close";
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static async Task WriteAsync(HttpContext context, int status, string type, string code, string message, bool isFinal)
    {
        var buffer = new ArrayBufferWriter<byte>(512);

        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "error"u8);
            json.WriteStartObject("error"u8);
            json.WriteString("type"u8, type);
            json.WriteString("message"u8, $"{code}: {message}");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = buffer.WrittenCount;

        if (isFinal)
        {
            response.Headers[ShouldRetry] = "false";
        }

        await response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }
}
