using System.IO.Pipelines;
using Ash.Server.Events;
using Ash.Server.Storage;
using Ash.Server.Telemetry;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>Streams of sessions over HTTP. None of them influences what it shows, and all of them end when the server stops.</summary>
internal sealed class SessionStreams(
    EventTails tails, EventStream events, EventStore store, IDbContextFactory<AshDbContext> contexts, IHostApplicationLifetime lifetime,
    ServerMetrics metrics)
{
    public async Task WriteAsync(HttpContext context, Guid sessionId, EventStreamRequest request, CancellationToken cancellationToken)
    {
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();

        // Who reads slowly, or not for a while, is waited for: it costs nothing but its connection.
        context.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var lease = tails.Acquire(sessionId);
        var bounded = await BoundAsync(lease.Tail, request, cancellationToken);
        metrics.StreamOpened();
        try
        {
            if (await events.WriteAsync(lease.Tail, bounded, response.BodyWriter, ending.Token) == EventStreamEnd.Left)
            {
                // Not a clean end: the client is told by a broken connection that there is more to come for.
                context.Abort();
            }
        }
        finally
        {
            metrics.StreamClosed();
        }
    }

    /// <summary>Waits for what a stream would wait for, but not longer than the server runs.</summary>
    public async Task WaitAsync(Guid sessionId, EventStreamRequest request, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var lease = tails.Acquire(sessionId);
        var bounded = await BoundAsync(lease.Tail, request, cancellationToken);
        await events.WriteAsync(lease.Tail, bounded, PipeWriter.Create(Stream.Null), ending.Token);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>
    /// Ends a stream of a session that has ended, or is gone. From the moment that its tail is held, the tail says so itself; what
    /// was before only the store knows, and whoever asked it earlier may not have heard.
    /// </summary>
    private async ValueTask<EventStreamRequest> BoundAsync(EventTail tail, EventStreamRequest request, CancellationToken cancellationToken)
    {
        if (tail.Head > 0)
        {
            // Its owner has begun, on this tail.
            return request;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var status = await db.Sessions
            .Where(session => session.Id == tail.Session)
            .Select(session => (SessionStatus?)session.Status)
            .SingleOrDefaultAsync(cancellationToken);
        return status switch
        {
            null => request with { Until = 0 },
            SessionStatus.Ended => request with { Until = request.Until ?? await store.FindHeadAsync(tail.Session, cancellationToken) },
            _ => request,
        };
    }
}
