using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Ash.Server.Telemetry;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Telemetry;

/// <summary>Listens to the spans of one server, as a collector would.</summary>
internal sealed class SpanWatcher : IDisposable
{
    private readonly Channel<Activity> _ended = Channel.CreateUnbounded<Activity>();
    private readonly ConcurrentQueue<Activity> _seen = [];
    private readonly List<Activity> _passedOver = [];
    private readonly ActivityListener _listener;

    public SpanWatcher(InMemoryServer server)
        : this(server.Get<ServerTraces>())
    {
    }

    public SpanWatcher(ServerTraces traces)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source == traces.Source,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                _seen.Enqueue(span);
                _ended.Writer.TryWrite(span);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>All that have ended.</summary>
    public IReadOnlyList<Activity> Seen => [.. _seen];

    /// <summary>The next that ends under this name, or has; others are there for who asks for theirs: a turn and its request end in any order.</summary>
    public async Task<Activity> NextAsync(string name)
    {
        if (_passedOver.Find(span => span.DisplayName == name) is { } ended)
        {
            _passedOver.Remove(ended);
            return ended;
        }

        await foreach (var span in _ended.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            if (span.DisplayName == name)
            {
                return span;
            }

            _passedOver.Add(span);
        }

        throw new InvalidOperationException("Nobody listens any more.");
    }

    /// <summary>All that a span says, but ids.</summary>
    public static string TextOf(Activity span) => string.Join(
        ' ',
        [
            span.OperationName, span.DisplayName, span.StatusDescription,
            .. span.TagObjects.Select(static tag => $"{tag.Key}={(tag.Value is string[] many ? string.Join(',', many) : tag.Value)}"),
            .. span.Events.Select(static e => $"{e.Name} {string.Join(' ', e.Tags)}"),
        ]);

    public void Dispose() => _listener.Dispose();
}
