using System.Diagnostics;
using System.Text;
using Ash.Server.Broker;
using Ash.Server.Events;
using Ash.Server.Sessions;

namespace Ash.Server.Telemetry;

/// <summary>What one turn reports, from its message to its end: figures always, spans where its trace is wanted.</summary>
/// <remarks>
/// Called under the session's gate, but for <see cref="Called"/>. What it reads of the agent's lines is an attacker's: names are
/// checked, and no text is taken.
/// </remarks>
internal sealed class TurnTelemetry
{
    private readonly Turn _turn;
    private readonly SessionMeter _session;
    private readonly SessionTelemetry _telemetry;
    private readonly Activity? _span;
    private readonly ToolSpans? _tools;
    private readonly TimeSpan _age;
    private readonly long _begunAt;
    private TimeSpan? _waited;
    private TimeSpan? _firstOutput;
    private string? _sandboxId;
    private string? _answeringModel;
    private int _lines;

    public TurnTelemetry(Turn turn, SessionMeter session, SessionTelemetry telemetry)
    {
        _turn = turn;
        _session = session;
        _telemetry = telemetry;
        _begunAt = telemetry.Clock.GetTimestamp();

        // One of an earlier server has waited there.
        _age = telemetry.Clock.GetUtcNow() - turn.CreatedAt;
        if (telemetry.Traces.IsOn)
        {
            _span = Begin(turn, session, telemetry.Traces);
            _tools = _span is null ? null : new ToolSpans(_span.Context, telemetry.Traces);
        }
    }

    private TimeSpan Age => _age + _telemetry.Clock.GetElapsedTime(_begunAt);

    /// <summary>A process has it; not for the first time, perhaps.</summary>
    public void HandedOver(string sandboxId)
    {
        _sandboxId = sandboxId;
        if (_waited is null)
        {
            _waited = Age;
            _telemetry.Metrics.TurnStarted(_waited.Value);
        }

        _span?.AddEvent(new ActivityEvent("ash.turn.started", _telemetry.Clock.GetUtcNow()));
    }

    /// <summary>The process said a line for the log.</summary>
    public void Saw(in CliLineInfo info, byte[] line)
    {
        _lines++;
        if (_firstOutput is null && info.Kind is CliLineKind.StreamEvent or CliLineKind.Assistant)
        {
            _firstOutput = Age;
            _telemetry.Metrics.FirstToken(_firstOutput.Value);
        }

        if (info.Kind is CliLineKind.Assistant or CliLineKind.User)
        {
            _tools?.Read(line);
        }
        else if (info.Kind is CliLineKind.Result)
        {
            _session.Costs.Read(line, _telemetry.Metrics.Cost);
        }
    }

    /// <summary>A model call of it has ended. May come at any time, after its end too.</summary>
    public void Called(ModelCall call)
    {
        var model = BoundedNames.IsName(call.Model) ? call.Model : null;
        Volatile.Write(ref _answeringModel, model ?? Volatile.Read(ref _answeringModel));
        if (_span is null)
        {
            return;
        }

        var name = call.Operation is ModelOperation.Messages ? "chat" : "count_tokens";
        var startedAt = _telemetry.Clock.GetUtcNow() - call.Duration;
        if (_telemetry.Traces.Begin(model is null ? name : $"{name} {model}", ActivityKind.Client, _span.Context, startedAt) is { } span)
        {
            GenAi(span, name);
            span.SetTag("gen_ai.request.model", model);
            span.SetTag("gen_ai.response.model", model);
            span.SetTag("gen_ai.conversation.id", _session.Session.Id.ToString());
            SetUsage(span, call.AllInputTokens, call.OutputTokens, call.CacheCreationTokens, call.CacheReadTokens);
            span.SetTag("http.response.status_code", call.Status);
            span.SetTag("ash.sandbox.id", call.SandboxId);
            span.SetTag("ash.model_call.attempts", call.Attempts);
            span.SetTag("ash.model_call.time_to_first_byte", call.FirstByte?.TotalSeconds);
            Fail(span, call.ErrorType);
            _telemetry.Traces.End(span);
        }
    }

    public void Ended(TurnOutcome outcome)
    {
        var duration = _waited is { } waited ? Age - waited : (TimeSpan?)null;
        _telemetry.Metrics.TurnEnded(outcome.ReasonName, duration);
        _telemetry.Lines.WriteTurn(_session.Session.Id, _sandboxId, _waited, _firstOutput, Age, _lines);
        if (_span is null)
        {
            return;
        }

        _tools?.End();
        SetUsage(outcome.Usage);
        var asked = _turn.Model ?? _session.Session.Model;
        _span.SetTag("gen_ai.request.model", asked ?? Volatile.Read(ref _answeringModel));
        _span.SetTag("gen_ai.response.model", Volatile.Read(ref _answeringModel));
        _span.SetTag("gen_ai.response.finish_reasons", new[] { outcome.ReasonName });
        _span.SetTag("ash.sandbox.id", _sandboxId);
        if (outcome.Reason is not (TurnReason.Completed or TurnReason.Interrupted or TurnReason.Cancelled))
        {
            // The sentence is not taken: it may be the model's, or the agent's.
            Fail(_span, BoundedNames.IsName(outcome.Code) ? outcome.Code : outcome.ReasonName);
        }

        _telemetry.Traces.End(_span);
    }

    private static Activity? Begin(Turn turn, SessionMeter session, ServerTraces traces)
    {
        var trace = turn.Options?.Trace;
        var link = trace?.RequestContext is { } request ? new[] { new ActivityLink(request) } : null;
        var record = session.Session;
        if (traces.Begin($"invoke_agent {record.AgentName}", ActivityKind.Internal, trace?.ParentContext ?? default, turn.CreatedAt, link) is not { } span)
        {
            return null;
        }

        GenAi(span, "invoke_agent");
        span.SetTag("gen_ai.agent.id", record.AgentId.ToString());
        span.SetTag("gen_ai.agent.name", record.AgentName);
        span.SetTag("gen_ai.agent.version", $"{record.AgentVersion}");
        span.SetTag("gen_ai.conversation.id", record.Id.ToString());
        span.SetTag("ash.session.id", record.Id.ToString());
        span.SetTag("ash.turn.id", turn.Id.ToString());
        return span;
    }

    private void SetUsage(string? json)
    {
        if (json is not null)
        {
            var usage = new TokenUsage();
            usage.Read(Encoding.UTF8.GetBytes(json));
            SetUsage(
                _span!, // Asked only where there is one.
                usage.InputTokens + usage.CacheCreationTokens + usage.CacheReadTokens, usage.OutputTokens, usage.CacheCreationTokens, usage.CacheReadTokens);
        }
    }

    private static void SetUsage(Activity span, long input, long output, long cacheCreation, long cacheRead)
    {
        span.SetTag("gen_ai.usage.input_tokens", input);
        span.SetTag("gen_ai.usage.output_tokens", output);
        span.SetTag("gen_ai.usage.cache_creation.input_tokens", cacheCreation);
        span.SetTag("gen_ai.usage.cache_read.input_tokens", cacheRead);
    }

    private static void GenAi(Activity span, string operation)
    {
        span.SetTag("gen_ai.operation.name", operation);
        span.SetTag("gen_ai.provider.name", "anthropic");
    }

    private static void Fail(Activity span, string? error)
    {
        if (error is not null)
        {
            span.SetTag("error.type", error);
            span.SetStatus(ActivityStatusCode.Error);
        }
    }
}
