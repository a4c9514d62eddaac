using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;

namespace Ash.Server.Broker;

/// <summary>Answers what a sandbox asks for: model calls are judged and forwarded, everything else is refused.</summary>
/// <remarks>
/// Who sends is unknown: every process in the sandbox reaches the socket. So only what comes is judged, and a refusal costs
/// its connection, of which a sandbox gets a limited number a second.
/// </remarks>
internal sealed partial class BrokerHandler(
    IModelCallAuthority authority,
    ModelForwarder forwarder,
    IOptions<ModelUpstream> upstream,
    IOptions<BrokerOptions> options,
    TimeProvider clock,
    ILogger<BrokerHandler> logger)
{
    private const int MaxTokenLength = 512;

    private static readonly MinDataRate SlowestBody = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(15));

    public Task HandleAsync(HttpContext context, BrokerSocket socket)
    {
        SetLimits(context);

        if (IsForProxy(context))
        {
            LogEgressDenied(socket.SandboxId);
            return BrokerAnswers.EgressDeniedAsync(context);
        }

        var operation = OperationOf(context.Request);

        if (operation is null && !IsProbe(context.Request))
        {
            LogNotAllowed(socket.SandboxId);
            return BrokerAnswers.NotAllowedAsync(context);
        }

        if (!socket.Requests.TryTake(out var wait))
        {
            LogRateLimited(socket.SandboxId);
            return BrokerAnswers.RateLimitedAsync(context, wait);
        }

        return operation is { } call ? CallModelAsync(context, socket, call) : Task.CompletedTask;
    }

    private async Task CallModelAsync(HttpContext context, BrokerSocket socket, ModelOperation operation)
    {
        var startedAt = clock.GetTimestamp();

        if (TokenHashOf(context.Request) is not { } tokenHash)
        {
            LogTokenMissing(socket.SandboxId);
            await BrokerAnswers.TokenMissingAsync(context);
            return;
        }

        switch (await authority.AuthorizeAsync(socket.SandboxId, tokenHash, context.RequestAborted))
        {
            case ModelCallVerdict.Allowed(var handle, var modelKey):
                await ForwardAsync(context, new PermittedCall(socket.SandboxId, handle, operation, modelKey, startedAt));
                break;

            case ModelCallVerdict.Refused refusal:
                await BrokerAnswers.RefusedAsync(context, refusal);
                break;
        }
    }

    private async Task ForwardAsync(HttpContext context, PermittedCall call)
    {
        var usage = new TokenUsage();
        var outcome = new ForwardOutcome();

        try
        {
            await AnswerAsync(context, call, usage, outcome);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The sandbox has gone; there is nobody to answer.
        }
        finally
        {
            var status = context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted
                ? StatusCodes.Status499ClientClosedRequest
                : context.Response.StatusCode;
            var duration = clock.GetElapsedTime(call.StartedAt);
            LogCalled(call.SandboxId, call.Handle, call.Operation, usage.Model, status, outcome.Attempts, duration.TotalMilliseconds);
            authority.Record(new ModelCall(
                call.SandboxId, call.Handle, call.Operation, usage.Model, usage.InputTokens, usage.OutputTokens,
                usage.CacheCreationTokens, usage.CacheReadTokens, status, outcome.ErrorCode, outcome.Attempts, outcome.IsComplete,
                duration, outcome.FirstByte)
            {
                RequestBytes = outcome.RequestBytes,
                ResponseBytes = outcome.ResponseBytes,
            });
        }
    }

    private Task AnswerAsync(HttpContext context, PermittedCall call, TokenUsage usage, ForwardOutcome outcome)
    {
        if (!upstream.Value.IsConfigured && call.ModelKey is null)
        {
            outcome.ErrorCode = BrokerErrorCode.ModelNotConfigured;
            return BrokerAnswers.ModelNotConfiguredAsync(context);
        }

        if (context.Request.Headers.ContentEncoding.Count > 0)
        {
            // What cannot be read cannot be judged.
            outcome.ErrorCode = BrokerErrorCode.RequestBroken;
            context.Response.Headers.Connection = "close";
            return BrokerAnswers.BrokenRequestAsync(context, StatusCodes.Status415UnsupportedMediaType);
        }

        if (context.Request.ContentLength > options.Value.MaxRequestBytes)
        {
            // The rest of the body is then read and dropped for some seconds: a client that is still writing when its
            // connection is closed reports that, not the answer.
            context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
            outcome.ErrorCode = BrokerErrorCode.RequestTooLarge;
            return BrokerAnswers.TooLargeAsync(context, options.Value.MaxRequestBytes);
        }

        return forwarder.ForwardAsync(context, call, usage, outcome);
    }

    private void SetLimits(HttpContext context)
    {
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = options.Value.MaxRequestBytes;

        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } body)
        {
            body.MinDataRate = SlowestBody;
        }

        // A sandbox that does not read stalls its own call only; a frozen one must find its connection whole.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } answer)
        {
            answer.MinDataRate = null;
        }

        // Nothing behind the broker speaks anything but plain HTTP.
        context.Request.Headers.Remove("Upgrade");
    }

    /// <summary>A program that was told of an HTTP proxy asks for <c>host:port</c> or for a whole address, never for a path.</summary>
    private static bool IsForProxy(HttpContext context)
    {
        return HttpMethods.IsConnect(context.Request.Method)
            || !context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.StartsWith('/');
    }

    private static ModelOperation? OperationOf(HttpRequest request)
    {
        if (!HttpMethods.IsPost(request.Method))
        {
            return null;
        }

        return request.Path.Value switch
        {
            "/v1/messages" => ModelOperation.Messages,
            "/v1/messages/count_tokens" => ModelOperation.CountTokens,
            _ => null,
        };
    }

    /// <summary>The CLI looks once whether there is somebody.</summary>
    private static bool IsProbe(HttpRequest request)
    {
        return request.Path.Value == "/" && (HttpMethods.IsHead(request.Method) || HttpMethods.IsGet(request.Method));
    }

    private static byte[]? TokenHashOf(HttpRequest request)
    {
        const string Bearer = "Bearer ";
        var token = request.Headers["x-api-key"].ToString();

        if (token.Length == 0 && request.Headers.Authorization.ToString() is { } value
            && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            token = value[Bearer.Length..];
        }

        return token.Length is 0 or > MaxTokenLength ? null : SHA256.HashData(Encoding.UTF8.GetBytes(token));
    }

    [LoggerMessage(LogLevel.Debug, "Sandbox {SandboxId} asked for the network and was refused")]
    private partial void LogEgressDenied(string sandboxId);

    [LoggerMessage(LogLevel.Debug, "Sandbox {SandboxId} asked the broker for something it does not serve")]
    private partial void LogNotAllowed(string sandboxId);

    [LoggerMessage(LogLevel.Debug, "Sandbox {SandboxId} asks the broker too often and has to wait")]
    private partial void LogRateLimited(string sandboxId);

    [LoggerMessage(LogLevel.Debug, "Sandbox {SandboxId} called the model without a token")]
    private partial void LogTokenMissing(string sandboxId);

    [LoggerMessage(LogLevel.Debug,
        "Sandbox {SandboxId} called the model for {Handle}: {Operation} {Model}, status {Status}, attempts {Attempts}, {Milliseconds} ms")]
    private partial void LogCalled(
        string sandboxId, object handle, ModelOperation operation, string? model, int status, int attempts, double milliseconds);
}
