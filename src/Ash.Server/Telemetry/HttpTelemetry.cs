using System.Collections.Concurrent;
using System.Diagnostics;
using Ash.Server.Http;
using Ash.Server.Sessions;
using Microsoft.AspNetCore.Diagnostics;

namespace Ash.Server.Telemetry;

/// <summary>Counts requests, and makes a span of those of the API whose trace is wanted. Outermost, so that it sees what clients are answered.</summary>
/// <remarks>The sandboxes' requests never come here: a <c>traceparent</c> of theirs is read by nobody.</remarks>
internal sealed class HttpTelemetry(RequestDelegate next, ServerMetrics metrics, ServerTraces traces, SessionRuntimes sessions, TimeProvider clock)
{
    /// <summary>W3C's: under which trace the request is kept.</summary>
    private const string TraceResponse = "traceresponse";

    private readonly ConcurrentDictionary<Endpoint, Operation> _operations = new();

    public async Task InvokeAsync(HttpContext context)
    {
        var startedAt = clock.GetTimestamp();
        var request = traces.IsOn ? BeginSpan(context) : null;
        try
        {
            await next(context);
        }
        finally
        {
            var endpoint = context.Features.Get<IExceptionHandlerFeature>()?.Endpoint ?? context.GetEndpoint();
            var operation = endpoint is null ? Operation.None : _operations.GetOrAdd(endpoint, Operation.Of);
            var method = MethodOf(context.Request);
            var problem = context.Features.Get<Problem>();
            var isStream = context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) == true;
            metrics.RequestEnded(method, operation.Route, context.Response.StatusCode, isStream ? null : clock.GetElapsedTime(startedAt));
            if (problem is not null)
            {
                metrics.ProblemSent(problem.Code);
            }

            if (request is not null)
            {
                EndSpan(context, request, operation, method, problem, startedAt);
            }
        }
    }

    private RequestSpan? BeginSpan(HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments("/api"))
        {
            return null;
        }

        var headers = context.Request.Headers;
        var isChild = ActivityContext.TryParse(headers.TraceParent, headers.TraceState, isRemote: true, out var client);

        // Its name is known once its route is.
        if (traces.Begin("request", ActivityKind.Server, isChild ? client : default) is not { } span)
        {
            return null;
        }

        var request = new RequestSpan(span, isChild ? headers.TraceParent.ToString() : null);
        context.Features.Set(request);
        context.Response.Headers[TraceResponse] = span.Id;
        return request;
    }

    private void EndSpan(HttpContext context, RequestSpan request, Operation operation, string method, Problem? problem, long startedAt)
    {
        var span = request.Span;
        var status = context.Response.StatusCode;
        if (status == StatusCodes.Status401Unauthorized)
        {
            // Whoever has no key does not decide what is kept.
            span.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }

        span.DisplayName = operation.Span ?? $"{method} {operation.Route}";
        span.SetTag("http.request.method", method);
        span.SetTag("http.route", operation.Route);
        span.SetTag("http.response.status_code", status);
        span.SetTag("url.scheme", context.Request.Scheme);
        if (problem is not null)
        {
            span.SetTag("error.type", problem.Code);
        }

        if (status >= StatusCodes.Status500InternalServerError)
        {
            span.SetStatus(ActivityStatusCode.Error);
        }

        if (operation.Route.StartsWith("/api/sessions/{id}", StringComparison.Ordinal) && Guid.TryParse(context.GetRouteValue("id") as string, out var id))
        {
            request.SessionId ??= id;
        }

        TagSession(span, request.SessionId, startedAt);
        traces.End(span);
    }

    private void TagSession(Activity span, Guid? id, long startedAt)
    {
        if (id is not { } session)
        {
            return;
        }

        span.SetTag("ash.session.id", session.ToString());
        if (!sessions.TryFind(session, out var runtime))
        {
            return;
        }

        span.SetTag("ash.agent.name", runtime.Record.AgentName);
        span.SetTag("ash.model", runtime.Record.Model);
        span.SetTag("ash.sandbox.id", runtime.SandboxId);
        if (runtime.Meter.LastResume is { } resume && resume.Timestamp >= startedAt)
        {
            span.SetTag("ash.resume.path", resume.Path);
            span.SetTag("ash.resume.source", resume.Source);
        }
    }

    /// <summary>A client may send any word.</summary>
    private static string MethodOf(HttpRequest request) => request.Method switch
    {
        "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS" => request.Method,
        _ => "OTHER",
    };
}
