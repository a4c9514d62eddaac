using System.Net;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace Ash.Server.Broker;

/// <summary>Takes a permitted call to the model and the answer back, and makes the call again where that can help.</summary>
/// <remarks>
/// Repeated is what fails before a byte of the answer was passed on. A stream that breaks later breaks for the CLI too,
/// which then asks again by itself.
/// </remarks>
internal sealed partial class ModelForwarder(
    IHttpForwarder forwarder,
    ModelClient client,
    RetryBuffers buffers,
    IOptions<BrokerOptions> options,
    TimeProvider clock,
    ILogger<ModelForwarder> logger)
{
    private readonly RetryPolicy _policy = new(options.Value, Random.Shared);

    private readonly ForwarderRequestConfig _config = new()
    {
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        ActivityTimeout = options.Value.ActivityTimeout,
    };

    /// <summary>Answers the request, whatever happens, unless its sender has gone.</summary>
    public async Task ForwardAsync(HttpContext context, PermittedCall call, TokenUsage usage, ForwardOutcome outcome)
    {
        using var body = buffers.TryReserve(context.Request.ContentLength);
        context.Request.Body = new ScannedStream(context.Request.Body, outcome);

        if (body is not null && !await TryFillAsync(body, context, outcome))
        {
            return;
        }

        while (true)
        {
            outcome.Attempts++;
            var delay = await AttemptAsync(context, call, body, usage, outcome);

            if (delay is not { } wait)
            {
                return;
            }

            await Task.Delay(wait, clock, context.RequestAborted);
            context.Response.Clear();
            context.Features.Set<IForwarderErrorFeature>(null);
        }
    }

    /// <returns>How long to wait before the next attempt; null when the request is answered.</returns>
    private async Task<TimeSpan?> AttemptAsync(
        HttpContext context, PermittedCall call, RetryBody? body, TokenUsage usage, ForwardOutcome outcome)
    {
        var exchange = new ModelExchange(
            client,
            call,
            isFinal: body is not null,
            nextDelay: retryAfter => NextDelay(call, body, outcome, retryAfter),
            onAnswer: answer => Meter(answer, call, body, usage, outcome));

        if (body is not null)
        {
            context.Request.Body = body.Open();
        }

        var error = await forwarder.SendAsync(context, client.BaseUrl, client.Http, _config, exchange);

        if (exchange.RepeatAfter is { } wait)
        {
            LogRepeating(call.SandboxId, context.Response.StatusCode, outcome.Attempts, wait.TotalMilliseconds);
            return wait;
        }

        if (error is ForwarderError.None)
        {
            outcome.IsComplete = true;
            return null;
        }

        return await AnswerFailureAsync(context, call, body, error, outcome);
    }

    private async Task<TimeSpan?> AnswerFailureAsync(
        HttpContext context, PermittedCall call, RetryBody? body, ForwarderError error, ForwardOutcome outcome)
    {
        if (context.RequestAborted.IsCancellationRequested || context.Response.HasStarted)
        {
            // Nobody is there, or the forwarder has cut the connection, so that half an answer is not taken for a whole one.
            LogCut(call.SandboxId, error);
            return null;
        }

        if (error is ForwarderError.RequestBodyClient or ForwarderError.RequestCreation)
        {
            await AnswerBrokenRequestAsync(context, context.Response.StatusCode, outcome);
            return null;
        }

        if (NextDelay(call, body, outcome, retryAfter: null) is { } delay)
        {
            LogRepeatingFailed(call.SandboxId, error, outcome.Attempts, delay.TotalMilliseconds);
            return delay;
        }

        LogGaveUp(call.SandboxId, error, outcome.Attempts);
        context.Response.Clear();

        if (error is ForwarderError.RequestTimedOut)
        {
            outcome.ErrorCode = BrokerErrorCode.UpstreamTimeout;
            await BrokerAnswers.TimedOutAsync(context, isFinal: body is not null);
        }
        else
        {
            outcome.ErrorCode = BrokerErrorCode.UpstreamUnreachable;
            await BrokerAnswers.UnreachableAsync(context, isFinal: body is not null);
        }

        return null;
    }

    private async Task<bool> TryFillAsync(RetryBody body, HttpContext context, ForwardOutcome outcome)
    {
        try
        {
            await body.FillAsync(context.Request.Body, context.RequestAborted);
            return true;
        }
        catch (BadHttpRequestException broken)
        {
            await AnswerBrokenRequestAsync(context, broken.StatusCode, outcome);
            return false;
        }
        catch (IOException)
        {
            // The connection broke while the sandbox was sending.
            context.Abort();
            return false;
        }
    }

    private Task AnswerBrokenRequestAsync(HttpContext context, int status, ForwardOutcome outcome)
    {
        context.Response.Clear();
        context.Response.Headers.Connection = "close";

        if (outcome.Request.Refusal is { } refusal)
        {
            outcome.ErrorCode = BrokerErrorCode.NetworkDenied;
            return BrokerAnswers.NetworkDeniedAsync(context, refusal);
        }

        if (status == StatusCodes.Status413PayloadTooLarge)
        {
            outcome.ErrorCode = BrokerErrorCode.RequestTooLarge;
            return BrokerAnswers.TooLargeAsync(context, options.Value.MaxRequestBytes);
        }

        outcome.ErrorCode = BrokerErrorCode.RequestBroken;
        return BrokerAnswers.BrokenRequestAsync(context, status is >= 400 and < 500 ? status : StatusCodes.Status400BadRequest);
    }

    private TimeSpan? NextDelay(PermittedCall call, RetryBody? body, ForwardOutcome outcome, TimeSpan? retryAfter)
    {
        return body is { IsHeld: true }
            ? _policy.NextDelay(outcome.Attempts, clock.GetElapsedTime(call.StartedAt), retryAfter)
            : null;
    }

    /// <summary>Reads along with a success; its first byte also ends the chance to repeat the call.</summary>
    private void Meter(HttpResponseMessage answer, PermittedCall call, RetryBody? body, TokenUsage usage, ForwardOutcome outcome)
    {
        if (!answer.IsSuccessStatusCode)
        {
            return;
        }

        var isStream = string.Equals(
            answer.Content.Headers.ContentType?.MediaType, "text/event-stream", StringComparison.OrdinalIgnoreCase);
        IUsageScanner scanner = isStream
            ? new SseUsageScanner(usage)
            : new JsonUsageScanner(usage);
        var reply = answer.Content.ReadAsStream();
        answer.Content = new StreamContent(new MeteredStream(reply, scanner, outcome, onFirstByte: () =>
        {
            body?.Dispose();
            outcome.FirstByte = clock.GetElapsedTime(call.StartedAt);
        }));
    }

    [LoggerMessage(LogLevel.Information,
        "The model answered sandbox {SandboxId} with {Status} (attempt {Attempts}); asking again in {Milliseconds} ms")]
    private partial void LogRepeating(string sandboxId, int status, int attempts, double milliseconds);

    [LoggerMessage(LogLevel.Information,
        "The model did not answer sandbox {SandboxId}: {Error} (attempt {Attempts}); asking again in {Milliseconds} ms")]
    private partial void LogRepeatingFailed(string sandboxId, ForwarderError error, int attempts, double milliseconds);

    [LoggerMessage(LogLevel.Warning, "The model did not answer sandbox {SandboxId}: {Error}; gave up after {Attempts} attempts")]
    private partial void LogGaveUp(string sandboxId, ForwarderError error, int attempts);

    [LoggerMessage(LogLevel.Information, "A model call of sandbox {SandboxId} was cut: {Error}")]
    private partial void LogCut(string sandboxId, ForwarderError error);
}
