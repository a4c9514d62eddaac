using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Ash.Server.Broker;

namespace Ash.Server.Telemetry;

/// <summary>Everything that the server counts as it happens: the one source that the page for Prometheus and OTLP read.</summary>
/// <remarks>
/// Names become those of Prometheus by OpenTelemetry's own rule: dots to underscores, the unit, and <c>_total</c> for counters. No
/// label has a value of an open set: no ids, no paths, no agents, and of models only the first few. Nothing that an event or a
/// request does allocates; a new set of labels does.
/// </remarks>
internal sealed class ServerMetrics : IDisposable
{
    public const string MeterName = "Ash";

    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    private static readonly double[] LongSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600];
    private static readonly double[] CommitSeconds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1];

    // As the GenAI conventions advise.
    private static readonly double[] CallSeconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
    private static readonly double[] Tokens = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];

    private static readonly string[] Statuses = [.. Enumerable.Range(0, 600).Select(static status => status.ToString(CultureInfo.InvariantCulture))];

    private readonly BoundedNames _models = new();
    private readonly Counter<long> _turns;
    private readonly Histogram<double> _turnDuration;
    private readonly Histogram<double> _turnWait;
    private readonly Histogram<double> _firstToken;
    private readonly Counter<long> _events;
    private readonly UpDownCounter<long> _streams;
    private readonly Counter<long> _sandboxStarts;
    private readonly Histogram<double> _sandboxStartDuration;
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _requestDuration;
    private readonly Counter<long> _problems;
    private readonly Counter<long> _calls;
    private readonly Counter<long> _callBytes;
    private readonly Counter<long> _callRefusals;
    private readonly Counter<long> _tokens;
    private readonly Counter<double> _cost;
    private readonly Histogram<long> _tokenUsage;
    private readonly Histogram<double> _callDuration;
    private readonly Counter<long> _writes;
    private readonly Histogram<double> _commitDuration;

    public ServerMetrics()
    {
        Meter = new Meter(new MeterOptions(MeterName));
        _turns = Counter("ash.turns", "Turns that ended, by how.");
        _turnDuration = Duration("ash.turn.duration", "From a turn's start at the agent's process to its end.", LongSeconds);
        _turnWait = Duration("ash.turn.wait", "From a message to its turn's start: the queue, and a sandbox where one has to be started.", LongSeconds);
        _firstToken = Duration("ash.turn.time_to_first_token", "From a message to the first of its answer.", LongSeconds);
        _events = Counter("ash.events", "Events appended to logs of sessions.");
        _streams = Meter.CreateUpDownCounter<long>("ash.streams.open", description: "Streams of events that clients hold open.");
        _sandboxStarts = Counter("ash.sandbox.starts", "Sandboxes that were started, by how that went.");
        _sandboxStartDuration = Duration("ash.sandbox.start.duration", "From the start of a sandbox until it is ready for use.", Seconds);
        _requests = Counter("ash.http.requests", "Requests, by method, route and status.");
        _requestDuration = Duration("ash.http.request.duration", "From a request to the end of its answer, streams left out.", Seconds);
        _problems = Counter("ash.http.problems", "Requests that were refused or failed, by the code of the answer.");
        _calls = Counter("ash.broker.calls", "Model calls of sandboxes that were let through, by what the sandbox was answered.");
        _callBytes = Counter("ash.broker.io", "Bytes of model calls that were let through, as sandboxes sent and got them.", "By");
        _callRefusals = Counter("ash.broker.refusals", "Model calls of sandboxes that were refused, by the code of the answer.");
        _tokens = Counter("ash.tokens", "Tokens, as the model counts them.");
        _cost = Meter.CreateCounter<double>("ash.cost.usd", description: "What turns cost in US dollars, as the agent's process reckons it.");
        _tokenUsage = Meter.CreateHistogram(
            "gen_ai.client.token.usage", "{token}", "Tokens of a model call.", advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [.. Tokens.Select(static bound => (long)bound)] });
        _callDuration = Duration("gen_ai.client.operation.duration", "From a sandbox's model call to the end of its answer.", CallSeconds);
        _writes = Counter("ash.store.writes", "Writes that the store was given, whether it took them or not.");
        _commitDuration = Duration("ash.store.commit.duration", "A commit of the store, by whether it waits for the disk.", CommitSeconds);
    }

    public Meter Meter { get; }

    public void TurnEnded(string reason, TimeSpan? duration)
    {
        _turns.Add(1, new KeyValuePair<string, object?>("outcome", reason));
        if (duration is { } taken)
        {
            _turnDuration.Record(taken.TotalSeconds);
        }
    }

    public void TurnStarted(TimeSpan waited) => _turnWait.Record(waited.TotalSeconds);

    public void FirstToken(TimeSpan waited) => _firstToken.Record(waited.TotalSeconds);

    public void EventsAppended(int count) => _events.Add(count);

    public void StreamOpened() => _streams.Add(1);

    public void StreamClosed() => _streams.Add(-1);

    public void SandboxStarted(TimeSpan taken)
    {
        _sandboxStarts.Add(1, new KeyValuePair<string, object?>("outcome", "ready"));
        _sandboxStartDuration.Record(taken.TotalSeconds);
    }

    public void SandboxFailed() => _sandboxStarts.Add(1, new KeyValuePair<string, object?>("outcome", "failed"));

    /// <param name="method">As routing knows it.</param>
    /// <param name="route">The pattern, never the path.</param>
    /// <param name="status">What the client was answered.</param>
    /// <param name="duration">Null for a stream.</param>
    public void RequestEnded(string method, string route, int status, TimeSpan? duration)
    {
        var methodLabel = new KeyValuePair<string, object?>("method", method);
        var routeLabel = new KeyValuePair<string, object?>("route", route);
        _requests.Add(1, methodLabel, routeLabel, new("status", StatusText(status)));
        if (duration is { } taken)
        {
            _requestDuration.Record(taken.TotalSeconds, methodLabel, routeLabel);
        }
    }

    public void ProblemSent(string code) => _problems.Add(1, new KeyValuePair<string, object?>("code", code));

    public void CallRefused(string code) => _callRefusals.Add(1, new KeyValuePair<string, object?>("code", code));

    public void ModelCalled(ModelCall call)
    {
        var operation = new KeyValuePair<string, object?>("operation", call.Operation is ModelOperation.Messages ? "messages" : "count_tokens");
        _calls.Add(1, operation, new("status", StatusText(call.Status)));
        _callBytes.Add(call.RequestBytes, new KeyValuePair<string, object?>("direction", "sent"));
        _callBytes.Add(call.ResponseBytes, new KeyValuePair<string, object?>("direction", "received"));
        if (call.Operation is not ModelOperation.Messages)
        {
            return;
        }

        var model = _models.Of(call.Model);
        var labels = GenAi(model);
        if (call.ErrorType is { } error)
        {
            labels.Add("error.type", error);
        }

        _callDuration.Record(call.Duration.TotalSeconds, labels);
        if (call.Model is null)
        {
            return;
        }

        AddTokens(model, "input", call.InputTokens);
        AddTokens(model, "output", call.OutputTokens);
        AddTokens(model, "cache_creation", call.CacheCreationTokens);
        AddTokens(model, "cache_read", call.CacheReadTokens);
        RecordUsage(model, "input", call.AllInputTokens);
        RecordUsage(model, "output", call.OutputTokens);
    }

    /// <param name="model">As the agent's process calls it.</param>
    /// <param name="dollars">At least 0.</param>
    public void Cost(string model, double dollars) => _cost.Add(dollars, new KeyValuePair<string, object?>("model", _models.Of(model)));

    /// <param name="isSynced">Whether it waited for the disk.</param>
    /// <param name="writes">How many it had.</param>
    /// <param name="duration">Their own work included.</param>
    public void Committed(bool isSynced, int writes, TimeSpan duration)
    {
        _writes.Add(writes);
        _commitDuration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("synced", isSynced ? "true" : "false"));
    }

    public void Dispose() => Meter.Dispose();

    private void AddTokens(string model, string type, long count)
    {
        if (count > 0)
        {
            _tokens.Add(count, new("model", model), new KeyValuePair<string, object?>("type", type));
        }
    }

    private void RecordUsage(string model, string type, long count)
    {
        var labels = GenAi(model);
        labels.Add("gen_ai.token.type", type);
        _tokenUsage.Record(count, labels);
    }

    private static TagList GenAi(string model) => new()
    {
        { "gen_ai.operation.name", "chat" },
        { "gen_ai.provider.name", "anthropic" },
        { "gen_ai.request.model", model },
    };

    private static string StatusText(int status) => Statuses[status is >= 0 and < 600 ? status : 0];

    private Counter<long> Counter(string name, string description, string? unit = null) => Meter.CreateCounter<long>(name, unit, description);

    private Histogram<double> Duration(string name, string description, double[] bounds) =>
        Meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
}
