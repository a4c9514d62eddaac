using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace Ash.Server.Broker;

/// <summary>One attempt of a call: what is sent to the model, and what of its answer goes on to the sandbox.</summary>
/// <param name="client">Where it goes.</param>
/// <param name="call">What is asked.</param>
/// <param name="isFinal">Whether the broker repeats calls like this, so that the CLI need not.</param>
/// <param name="nextDelay">From what the model asks for, the wait before the next attempt, or null where this was the last.</param>
/// <param name="onAnswer">Called with the answer that is passed on.</param>
internal sealed class ModelExchange(
    ModelClient client,
    PermittedCall call,
    bool isFinal,
    Func<TimeSpan?, TimeSpan?> nextDelay,
    Action<HttpResponseMessage> onAnswer) : HttpTransformer
{
    /// <summary>Set when the answer was dropped because the call is worth repeating after this time.</summary>
    public TimeSpan? RepeatAfter { get; private set; }

    public override ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        proxyRequest.RequestUri = new Uri($"{client.BaseUrl}{call.Path}{httpContext.Request.QueryString}");
        ModelHeaders.CopyRequest(httpContext.Request.Headers, proxyRequest);

        if (client.KeyOf(call) is { } key)
        {
            proxyRequest.Headers.TryAddWithoutValidation("x-api-key", key);
        }

        return ValueTask.CompletedTask;
    }

    public override ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
        {
            return ValueTask.FromResult(true);
        }

        var status = (int)proxyResponse.StatusCode;

        if (status < 200)
        {
            throw new HttpRequestException($"The model answered a call with status {status}.");
        }

        if (RetryPolicy.IsPassing(status)
            && ShouldRetryOf(proxyResponse) is not "false"
            && nextDelay(RetryAfterOf(proxyResponse)) is { } delay)
        {
            RepeatAfter = delay;
            return ValueTask.FromResult(false);
        }

        Pass(proxyResponse, httpContext, status);
        onAnswer(proxyResponse);
        return ValueTask.FromResult(true);
    }

    public override ValueTask TransformResponseTrailersAsync(
        HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken)
    {
        return ValueTask.CompletedTask;
    }

    private void Pass(HttpResponseMessage answer, HttpContext context, int status)
    {
        // The forwarder copies the upstream's own words for a status.
        context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = null;
        ModelHeaders.CopyResponse(answer, context.Response.Headers);

        if (status < 300)
        {
            return;
        }

        if (isFinal || !RetryPolicy.IsPassing(status))
        {
            context.Response.Headers[BrokerAnswers.ShouldRetry] = "false";
        }
        else if (ShouldRetryOf(answer) is { } advice)
        {
            context.Response.Headers[BrokerAnswers.ShouldRetry] = advice;
        }
    }

    private static string? ShouldRetryOf(HttpResponseMessage answer)
    {
        return answer.Headers.NonValidated.TryGetValues(BrokerAnswers.ShouldRetry, out var values) ? values.ToString() : null;
    }

    private static TimeSpan? RetryAfterOf(HttpResponseMessage answer)
    {
        // A date is not used: it depends on two clocks.
        return answer.Headers.NonValidated.TryGetValues("retry-after", out var values)
            && double.TryParse(values.ToString(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            && seconds <= TimeSpan.MaxValue.TotalSeconds / 2
                ? TimeSpan.FromSeconds(seconds)
                : null;
    }
}
