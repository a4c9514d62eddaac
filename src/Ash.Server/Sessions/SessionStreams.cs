using System.IO.Pipelines;
using Ash.Server.Events;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Ash.Server.Sessions;

/// <summary>Streams of sessions over HTTP. None of them influences what it shows, and all of them end when the server stops.</summary>
internal sealed class SessionStreams(EventTails tails, EventStream events, IHostApplicationLifetime lifetime)
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
        var end = await events.WriteAsync(lease.Tail, request, response.BodyWriter, ending.Token);
        if (end == EventStreamEnd.Left)
        {
            // Not a clean end: the client is told by a broken connection that there is more to come for.
            context.Abort();
        }
    }

    /// <summary>Waits for what a stream would wait for, but not longer than the server runs.</summary>
    public async Task WaitAsync(Guid sessionId, EventStreamRequest request, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var lease = tails.Acquire(sessionId);
        await events.WriteAsync(lease.Tail, request, PipeWriter.Create(Stream.Null), ending.Token);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
