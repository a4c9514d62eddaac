using System.Text;
using System.Text.Json;
using Ash.Server.Events;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>Compares a session's log with the transcript of the CLI, and finds what a new process would not know.</summary>
/// <remarks>
/// The CLI writes its transcript with a lag, so a killed one may lack the end of it: users' texts of started turns, and what
/// the agent said and its tools answered after them. A process is told the missing end before it gets its next prompt, so
/// only the end can ever be missing.
/// </remarks>
internal sealed class Conversation(TurnStore turns, EventStore events)
{
    /// <summary>What a process is told at most; the agent itself may have made its transcript go.</summary>
    private const long MaxToldBytes = 64L * 1024 * 1024;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = Json.MaxDepth };

    /// <param name="session">The session, with its CLI's name of the conversation.</param>
    /// <param name="home">The session's home on the host.</param>
    /// <param name="current">The turn that the process is started for and gets as its prompt, or null.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<CliStart> FindStartAsync(SessionRecord session, string home, Guid? current, CancellationToken cancellationToken)
    {
        var started = await turns.FindStartedAsync(session.Id, session.ClearedAtTurn, cancellationToken);
        var texts = await Transcript.ReadAsync(home, session.CliSessionId, started.Select(turn => turn.Id).ToHashSet(), cancellationToken);
        var told = started.Where(turn => turn.Id != current).ToList();
        var forgotten = new Queue<ForgottenLine>();

        var firstMissing = told.FindIndex(turn => !texts.Known.Contains(turn.Id));
        var suspects = told.Skip((firstMissing < 0 ? told.Count : firstMissing) - 1).ToList();
        var said = await ReadSaidAsync(session.Id, suspects, cancellationToken);
        var lines = await Transcript.ReadAsync(
            home, session.CliSessionId, said.SelectMany(turn => turn.Value).Select(line => line.Id).ToHashSet(), cancellationToken);

        foreach (var turn in suspects)
        {
            if (!texts.Known.Contains(turn.Id))
            {
                var content = await turns.ReadContentAsync(session.Id, turn.MessageSeq, cancellationToken);
                forgotten.Enqueue(new ForgottenLine(turn.Id, ControlLines.User(turn.Id, content, shouldQuery: false), HasResult: true));
            }

            foreach (var line in said[turn.Id].Where(line => !lines.Known.Contains(line.Id)))
            {
                forgotten.Enqueue(line);
            }
        }

        var goesOn = current is { } id && texts.Known.Contains(id) && forgotten.Count == 0 ? current : null;
        return new CliStart(texts.HasMessages, goesOn, forgotten);
    }

    /// <summary>Whether a file is in the way: no conversation to resume, and yet none of its name can begin.</summary>
    public static async Task<bool> IsUnusableAsync(SessionRecord session, string home, CancellationToken cancellationToken)
    {
        var transcript = await Transcript.ReadAsync(home, session.CliSessionId, new HashSet<Guid>(), cancellationToken);
        return transcript is { Exists: true, HasMessages: false };
    }

    private async Task<Dictionary<Guid, List<ForgottenLine>>> ReadSaidAsync(
        Guid session, List<StartedTurn> suspects, CancellationToken cancellationToken)
    {
        var said = suspects.ToDictionary(turn => turn.Id, _ => new List<ForgottenLine>());
        if (suspects.Count == 0)
        {
            return said;
        }

        var order = new Queue<List<ForgottenLine>>();
        var bytes = 0L;
        var last = suspects[^1].CompletedSeq ?? long.MaxValue;
        await foreach (var row in events.ReadAllAsync(session, suspects[0].StartedSeq, cancellationToken))
        {
            if (row.Seq > last)
            {
                break;
            }

            if (row.TurnId is { } turn && said.TryGetValue(turn, out var lines) && ReadSaid(row) is { } line)
            {
                lines.Add(line);
                order.Enqueue(lines);
                bytes += line.Line.Length;
            }

            while (bytes > MaxToldBytes)
            {
                // No model has room for so much: what was said first goes first.
                var oldest = order.Dequeue();
                bytes -= oldest[0].Line.Length;
                oldest.RemoveAt(0);
            }
        }

        return said;
    }

    private static ForgottenLine? ReadSaid(in EventRow row) => row.Type switch
    {
        EventType.Cli => TryRead(row.Payload),
        EventType.Message when TurnStore.ReadSteer(row.Payload) is { } text =>
            new ForgottenLine(text.Id, ControlLines.User(text.Id, text.Content, shouldQuery: false), HasResult: true),
        _ => null,
    };

    /// <summary>What the agent itself said, and what its tools answered; null for every other line.</summary>
    private static ForgottenLine? TryRead(ReadOnlyMemory<byte> payload)
    {
        try
        {
            return Read(payload);
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair in a name or an id: not of the CLI's making.
            return null;
        }
    }

    private static ForgottenLine? Read(ReadOnlyMemory<byte> payload)
    {
        if (!CliLine.TryInspect(payload.Span, out var info) || info.Kind is not (CliLineKind.Assistant or CliLineKind.User) || info.Error is not null)
        {
            return null;
        }

        using var line = JsonDocument.Parse(payload, Options);
        var root = line.RootElement;
        if (!root.TryGetProperty("uuid", out var uuid) || uuid.ValueKind != JsonValueKind.String || !uuid.TryGetGuid(out var id)
            || (root.TryGetProperty("parent_tool_use_id", out var parent) && parent.ValueKind == JsonValueKind.String)
            || !root.TryGetProperty("message", out var message) || message.ValueKind != JsonValueKind.Object
            || !message.TryGetProperty("content", out var content) || content.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        if (info.Kind == CliLineKind.Assistant)
        {
            return new ForgottenLine(id, payload.ToArray(), HasResult: false);
        }

        return content.EnumerateArray().Any(IsToolResult) ? new ForgottenLine(id, ToolResults(id, content), HasResult: true) : null;
    }

    private static bool IsToolResult(JsonElement block) =>
        block.ValueKind == JsonValueKind.Object
        && block.TryGetProperty("type", out var type)
        && type.ValueKind == JsonValueKind.String
        && type.ValueEquals("tool_result"u8);

    private static byte[] ToolResults(Guid id, JsonElement content) =>
        ControlLines.User(id, Encoding.UTF8.GetBytes(content.GetRawText()), shouldQuery: false);
}
