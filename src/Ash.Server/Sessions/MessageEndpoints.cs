using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Ash.Protocol.Api;
using Ash.Server.Events;
using Ash.Server.Http;
using Ash.Server.Storage;
using Ash.Server.Telemetry;
using Microsoft.Net.Http.Headers;

namespace Ash.Server.Sessions;

/// <summary>The HTTP face of turns: send a message, follow what happens, read what happened.</summary>
internal static class MessageEndpoints
{
    private const int MaxMessageBytes = 52_428_800;

    private const string Events =
        "Frames of event, one line of data, and id: session_start first; text_delta, thinking_delta, tool_use, tool_result, turn_complete, "
        + "message (a line of the Claude CLI as it came); error where a turn failed; done last. A comment says every 15 s that the stream "
        + "lives. Whoever reconnects to /stream with the last id misses nothing.";

    public static void MapMessages(this IEndpointRouteBuilder routes)
    {
        var sessions = routes.MapGroup("/api/sessions/{id}").WithTags("sessions");

        sessions.MapPost("/messages", SendAsync)
            .WithName("SendMessage")
            .WithSummary("Send a message and stream its turn, or wait for it with Accept: application/json")
            .Accepts<SendMessageRequest>("application/json")
            .WithBody("The message: its content, and how its turn is to be run and shown.")
            .WithHeader("Idempotency-Key", "The same key and body give the same turn, from its beginning, for a day; another body is refused.")
            .WithHeader("Accept", "application/json waits for the turn's end and answers with the turn; anything else streams it.")
            .Produces<TurnEnvelope>()
            .ProducesEvents(Events)
            .ProducesApiErrors(400, 401, 404, 409, 413, 415, 429);
        sessions.MapGet("/stream", FollowAsync)
            .WithName("FollowSession")
            .WithSummary("Stream everything that happened after a cursor, and then what happens")
            .WithParameter("after", "The id of the last event that was seen, or latest for only what is new; 0 where absent.")
            .WithHeader("Last-Event-ID", "As after, which it takes the place of.")
            .WithParameter("turn", "Only this turn; the stream ends after its done.")
            .WithParameter("until", "idle ends the stream when no turn runs or waits.")
            .WithParameter("partial", "false leaves the deltas out; true where absent.")
            .WithParameter("lifecycle", "false leaves Ash's own facts out; true where absent.")
            .ProducesEvents(Events)
            .ProducesApiErrors(400, 401, 404);
        sessions.MapGet("/messages", ListMessagesAsync)
            .WithName("ListMessages")
            .WithSummary("Read the history of a session")
            .WithParameter("limit", "1 to 1000; 100 where absent.")
            .WithParameter("after", "Only messages with a greater sequence; 0 where absent.")
            .Produces<MessageListEnvelope>()
            .ProducesApiErrors(400, 401, 404);
        sessions.MapGet("/events", ListEventsAsync)
            .WithName("ListSessionEvents")
            .WithSummary("Read the timeline of a session")
            .WithParameter("limit", "1 to 1000; 200 where absent. Entries of one sequence are never parted, so there may be a few more.")
            .WithParameter("after", "Only entries with a greater sequence; 0 where absent.")
            .WithParameter("type", "Only entries of this type.")
            .Produces<SessionEventListEnvelope>()
            .ProducesApiErrors(400, 401, 404);
        sessions.MapGet("/turns/{turnId}", FindTurnAsync)
            .WithName("GetTurn")
            .WithSummary("Look at a turn")
            .Produces<TurnEnvelope>()
            .ProducesApiErrors(400, 401, 404);
    }

    private static async Task<IResult> SendAsync(
        HttpContext context, string id, SessionDirectory sessions, TurnStore turns, SessionStreams streams, CancellationToken cancellationToken)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        if (found.Problem is { } unknown)
        {
            return unknown.ToResult(context);
        }

        var body = await JsonBody<SendMessageRequest>.ReadAsync(
            context.Request, ApiJson.Default.SendMessageRequest, MaxMessageBytes, cancellationToken);
        if (body.Problem is { } problem)
        {
            return problem.ToResult(context);
        }

        if (MessageContent.Read(body.Value!.Content, out var reason) is not { } content)
        {
            return Problems.Invalid(reason!).ToResult(context);
        }

        if (body.Value.Model is { Length: 0 or > 100 })
        {
            return Problems.Invalid("model must have 1 to 100 characters").ToResult(context);
        }

        var options = TurnOptions.Read(body.Value, RequestSpan.Of(context)?.TurnTrace, out var badOptions);
        var badPolicy = ReadPolicy(body.Value.OnBusy, out var onBusy);
        if ((badOptions ?? badPolicy) is { } refusal)
        {
            return refusal.ToResult(context);
        }

        var key = IdempotencyKey.Read(context.Request, body.Raw, out var badKey);
        if (badKey is not null)
        {
            return badKey.ToResult(context);
        }

        var message = new SubmitMessage(content, body.Value.Model, options, onBusy, key?.Value, key?.BodyHash ?? SHA256.HashData(body.Raw));
        var outcome = await sessions.Grain(found.Session!.Id).SubmitAsync(message);
        if (outcome is SubmitMessage.Refused(var refused))
        {
            return refused.ToResult(context);
        }

        var accepted = (SubmitMessage.Accepted)outcome;
        context.Response.Headers["X-Ash-Turn-Id"] = accepted.TurnId.ToString();
        var filter = new EventFilter(body.Value.IncludePartialMessages ?? false, Lifecycle: false, accepted.TurnId);
        var request = new EventStreamRequest(new EventCursor(accepted.MessageSeq), filter);
        if (!PrefersJson(context.Request))
        {
            await streams.WriteAsync(context, found.Session.Id, request, cancellationToken);
            return Results.Empty;
        }

        await streams.WaitAsync(found.Session.Id, request, cancellationToken);
        return await turns.FindAsync(found.Session.Id, accepted.TurnId, cancellationToken) is { } turn
            ? Results.Json(new TurnEnvelope(SessionView.Describe(turn)), ApiJson.Default.TurnEnvelope)
            : Problems.UnknownSession.ToResult(context);
    }

    private static async Task<IResult> FollowAsync(
        HttpContext context,
        string id,
        SessionDirectory sessions,
        TurnStore turns,
        EventStore events,
        SessionStreams streams,
        CancellationToken cancellationToken,
        string? after = null,
        string? turn = null,
        string? until = null,
        string? partial = null,
        string? lifecycle = null)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        if (found.Problem is { } unknown)
        {
            return unknown.ToResult(context);
        }

        var session = found.Session!;
        if (!TryFlag(partial, out var wantsPartial) || !TryFlag(lifecycle, out var wantsLifecycle))
        {
            return Problems.Invalid("partial and lifecycle must be true or false").ToResult(context);
        }

        if (until is not (null or "idle"))
        {
            return Problems.Invalid("until must be idle").ToResult(context);
        }

        // The head before the turn: a cursor that may stand behind the turn's done is met by a turn that is known to have ended.
        var head = await events.FindHeadAsync(session.Id, cancellationToken);
        TurnRecord? narrowed = null;
        if (turn is not null)
        {
            narrowed = Guid.TryParseExact(turn, "D", out var turnId) ? await turns.FindAsync(session.Id, turnId, cancellationToken) : null;
            if (narrowed is null)
            {
                return Problems.UnknownTurn.ToResult(context);
            }
        }

        var lastSeen = context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } header ? header : after;
        EventCursor cursor;
        if (lastSeen is null)
        {
            cursor = EventCursor.Start;
        }
        else if (lastSeen == "latest")
        {
            cursor = new EventCursor(head);
        }
        else if (!EventCursor.TryParse(lastSeen, out cursor))
        {
            return Problems.InvalidCursor("The cursor must be the id of an event, N or N.k").ToResult(context);
        }
        else if (cursor.Seq > head)
        {
            return Problems.InvalidCursor($"The cursor is beyond the newest event, {head}").ToResult(context);
        }

        if (until is not null && await turns.HasOpenAsync(session.Id, cancellationToken))
        {
            // Just after a start its owner may not be up yet, and only the owner knows when it is idle.
            await sessions.Grain(session.Id).ActivateAsync();
        }

        var request = new EventStreamRequest(
            cursor, new EventFilter(wantsPartial, wantsLifecycle, narrowed?.Id), UntilIdle: until is not null, Until: narrowed?.CompletedSeq);
        await streams.WriteAsync(context, session.Id, request, cancellationToken);
        return Results.Empty;
    }

    private static async Task<IResult> ListMessagesAsync(
        HttpContext context, string id, SessionDirectory sessions, EventStore events, CancellationToken cancellationToken, string? limit = null, string? after = null)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        if ((LogPage.Check(limit, after, fallback: 100, out var page) ?? found.Problem) is { } problem)
        {
            return problem.ToResult(context);
        }

        var session = found.Session!;
        using var list = LogListWriter.ForMessages(context.Response.BodyWriter, session.Id, session.TenantId);
        context.Response.ContentType = "application/json; charset=utf-8";
        await list.WriteAsync(ReadMessagesAsync(events, session.Id, page, cancellationToken), cancellationToken);
        return Results.Empty;
    }

    private static async IAsyncEnumerable<LogItem> ReadMessagesAsync(
        EventStore events, Guid sessionId, LogPage page, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var row in events.ReadAllAsync(sessionId, page.After, cancellationToken))
        {
            if (History.Read(sessionId, row) is { } message)
            {
                yield return message;
                if (++count == page.Limit)
                {
                    break;
                }
            }
        }
    }

    private static async Task<IResult> ListEventsAsync(
        HttpContext context,
        string id,
        SessionDirectory sessions,
        EventStore events,
        CancellationToken cancellationToken,
        string? limit = null,
        string? after = null,
        string? type = null)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        if ((LogPage.Check(limit, after, fallback: 200, out var page) ?? found.Problem) is { } problem)
        {
            return problem.ToResult(context);
        }

        var session = found.Session!;
        using var list = LogListWriter.ForEvents(context.Response.BodyWriter, session.Id, session.TenantId);
        context.Response.ContentType = "application/json; charset=utf-8";
        await list.WriteAsync(ReadEventsAsync(events, session.Id, page, type, cancellationToken), cancellationToken);
        return Results.Empty;
    }

    private static async IAsyncEnumerable<LogItem> ReadEventsAsync(
        EventStore events, Guid sessionId, LogPage page, string? type, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var timeline = new Timeline(sessionId);
        var ofRow = new List<LogItem>();
        var count = 0;
        await foreach (var row in events.ReadAllAsync(sessionId, page.After, cancellationToken))
        {
            ofRow.Clear();
            timeline.Read(row, ofRow);
            foreach (var entry in ofRow.Where(entry => type is null || entry.Kind == type))
            {
                yield return entry;
                count++;
            }

            if (count >= page.Limit)
            {
                // A row's entries share their sequence, which is the cursor: they are never parted.
                break;
            }
        }
    }

    private static async Task<IResult> FindTurnAsync(
        HttpContext context, string id, string turnId, SessionDirectory sessions, TurnStore turns, CancellationToken cancellationToken)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        if (found.Problem is { } problem)
        {
            return problem.ToResult(context);
        }

        return Guid.TryParseExact(turnId, "D", out var parsed) && await turns.FindAsync(found.Session!.Id, parsed, cancellationToken) is { } turn
            ? Results.Json(new TurnEnvelope(SessionView.Describe(turn)), ApiJson.Default.TurnEnvelope)
            : Problems.UnknownTurn.ToResult(context);
    }

    private static Problem? ReadPolicy(string? word, out BusyPolicy? policy)
    {
        policy = word is null ? null : BusyPolicies.Parse(word);
        return word is null || policy is not null ? null : Problems.Invalid("onBusy must be one of enqueue, reject, interrupt, steer");
    }

    private static bool PrefersJson(HttpRequest request)
    {
        var accepted = MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var types) ? types : [];
        return accepted.Any(type => type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
            && !accepted.Any(type => type.MediaType.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase));
    }

    private static bool TryFlag(string? text, out bool value)
    {
        value = text is null or "true";
        return text is null or "true" or "false";
    }
}
