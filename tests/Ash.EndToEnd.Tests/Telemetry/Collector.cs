using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ash.EndToEnd.Tests.Telemetry;

/// <summary>An OpenTelemetry collector on loopback that takes both forms of OTLP and keeps what it gets.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<CollectedSpan> _spans = Channel.CreateUnbounded<CollectedSpan>();
    private readonly ConcurrentQueue<byte[]> _bodies = [];
    private readonly ConcurrentQueue<string> _seenHeaders = [];
    private readonly TaskCompletionSource<IReadOnlyDictionary<string, string>> _resource = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _metrics = new();
    private readonly List<CollectedSpan> _taken = [];

    private Collector(WebApplication app) => _app = app;

    /// <summary>Everything that was sent, as it was.</summary>
    public IEnumerable<byte[]> Bodies => _bodies;

    public IEnumerable<string> Headers => _seenHeaders;

    public Task<IReadOnlyDictionary<string, string>> Resource => _resource.Task;

    public Uri Http { get; private set; } = null!; // Set before anybody has it.

    public Uri Grpc { get; private set; } = null!; // As above.

    public static async Task<Collector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
        });
        var app = builder.Build();
        var collector = new Collector(app);
        app.MapPost("/v1/{kind}", collector.TakeAsync);
        app.MapPost("/opentelemetry.proto.collector.trace.v1.TraceService/Export", context => collector.TakeFrameAsync(context, "traces"));
        app.MapPost("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", context => collector.TakeFrameAsync(context, "metrics"));
        await app.StartAsync();
        var addresses = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.ToList();
        (collector.Http, collector.Grpc) = (new Uri(addresses[0]), new Uri(addresses[1]));
        return collector;
    }

    /// <summary>Waits for a span that fits; what came before counts too.</summary>
    public async Task<CollectedSpan> FindSpanAsync(Predicate<CollectedSpan> fits, CancellationToken cancellationToken)
    {
        if (_taken.Find(fits) is { } found)
        {
            return found;
        }

        await foreach (var span in _spans.Reader.ReadAllAsync(cancellationToken))
        {
            _taken.Add(span);
            if (fits(span))
            {
                return span;
            }
        }

        throw new InvalidOperationException("The collector has ended.");
    }

    /// <summary>Completes once a figure of this name was sent.</summary>
    public Task MetricAsync(string name) => SourceOf(name).Task;

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        Take((string)context.Request.RouteValues["kind"]!, await ReadAsync(context)); // The route has it.
        context.Response.ContentType = "application/x-protobuf";
    }

    /// <summary>A call of gRPC: a frame each way, and the status behind it.</summary>
    private async Task TakeFrameAsync(HttpContext context, string kind)
    {
        var frame = await ReadAsync(context);
        var length = BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(1));
        Take(kind, frame[5..(5 + length)]);
        context.Response.ContentType = "application/grpc";
        context.Response.AppendTrailer("grpc-status", "0");
        await context.Response.Body.WriteAsync(new byte[5]);
    }

    private async Task<byte[]> ReadAsync(HttpContext context)
    {
        _seenHeaders.Enqueue(string.Join('\n', context.Request.Headers.Select(static header => $"{header.Key}: {header.Value}")));
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    private void Take(string kind, byte[] body)
    {
        _bodies.Enqueue(body);
        var request = new Wire(body);
        _resource.TrySetResult(CollectedSpan.ReadTags(request.All(1).First().All(1).Single().All(1)));
        if (kind == "traces")
        {
            foreach (var span in CollectedSpan.ReadAll(request))
            {
                _spans.Writer.TryWrite(span);
            }

            return;
        }

        foreach (var metric in request.All(1).SelectMany(static resource => resource.All(2)).SelectMany(static scope => scope.All(2)))
        {
            SourceOf(metric.Text(1)).TrySetResult();
        }
    }

    private TaskCompletionSource SourceOf(string metric) =>
        _metrics.GetOrAdd(metric, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
