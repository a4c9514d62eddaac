using System.Text;
using System.Text.Json;
using Ash.Server.Events;
using Ash.Server.Http;
using Ash.Server.Sessions;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Storage;

/// <summary>Looks up turns, and what users sent for them.</summary>
internal sealed class TurnStore(IDbContextFactory<AshDbContext> contexts, EventStore events)
{
    /// <summary>A session's turns that have not ended, in their order, each with its content.</summary>
    public async Task<IReadOnlyList<(TurnRecord Turn, byte[] Content)>> FindOpenAsync(Guid sessionId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var open = await db.Turns
            .Where(turn => turn.SessionId == sessionId && turn.Status != TurnStatus.Ended)
            .OrderBy(turn => turn.MessageSeq)
            .ToListAsync(cancellationToken);

        var result = new List<(TurnRecord, byte[])>(open.Count);
        foreach (var turn in open)
        {
            result.Add((turn, await ReadContentAsync(sessionId, turn.MessageSeq, cancellationToken)));
        }

        return result;
    }

    /// <summary>Gives a running turn what its log says of texts that joined it, and of their results.</summary>
    public async Task ReadSteersAsync(Guid sessionId, Turn turn, long messageSeq, CancellationToken cancellationToken)
    {
        await foreach (var row in events.ReadAllAsync(sessionId, messageSeq, cancellationToken))
        {
            if (row.TurnId != turn.Id)
            {
                continue;
            }

            if (row.Type == EventType.Message)
            {
                if (ReadSteer(row.Payload) is { } text)
                {
                    turn.Steer(text);
                }
            }
            else if (row.Type == EventType.Cli
                && CliLine.TryInspect(row.Payload.Span, out var info)
                && info.Kind == CliLineKind.Result
                && turn.TakeResult(info.UserMessageUuids))
            {
                turn.Interim = TurnOutcome.FromResult(turn, info, row.Payload.Span);
            }
        }
    }

    /// <summary>What joined a turn, by its message row; null for the message that the turn began with.</summary>
    public static SteeredText? ReadSteer(ReadOnlyMemory<byte> payload)
    {
        using var message = JsonDocument.Parse(payload);
        return message.RootElement.TryGetProperty("uuid", out var uuid)
            ? new SteeredText(uuid.GetGuid(), Encoding.UTF8.GetBytes(message.RootElement.GetProperty("content").GetRawText()))
            : null;
    }

    /// <summary>Whether a turn of this session runs or waits.</summary>
    public async Task<bool> HasOpenAsync(Guid sessionId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Turns.AnyAsync(turn => turn.SessionId == sessionId && turn.Status != TurnStatus.Ended, cancellationToken);
    }

    /// <summary>The turns whose texts a process of the CLI should know, in their order: begun, after the last clearing.</summary>
    public async Task<IReadOnlyList<StartedTurn>> FindStartedAsync(Guid sessionId, Guid? clearedAt, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var cleared = clearedAt is { } turnId
            ? await db.Turns.Where(turn => turn.Id == turnId).Select(turn => turn.StartedSeq).SingleOrDefaultAsync(cancellationToken) ?? 0
            : 0;
        return await db.Turns
            .Where(turn => turn.SessionId == sessionId && turn.StartedSeq > cleared)
            .OrderBy(turn => turn.StartedSeq)
            .Select(turn => new StartedTurn(turn.Id, turn.MessageSeq, turn.StartedSeq!.Value, turn.CompletedSeq))
            .ToListAsync(cancellationToken);
    }

    public async Task<TurnRecord?> FindAsync(Guid sessionId, Guid turnId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Turns.SingleOrDefaultAsync(turn => turn.Id == turnId && turn.SessionId == sessionId, cancellationToken);
    }

    /// <summary>What a message with the same key got when it was first sent; null where the key is new.</summary>
    public async Task<SubmitMessage.Outcome?> FindRepeatAsync(
        string tenantId, Guid sessionId, SubmitMessage message, CancellationToken cancellationToken)
    {
        var scope = sessionId.ToString();
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = await db.IdempotencyKeys.Of(tenantId, scope, message.IdempotencyKey).SingleOrDefaultAsync(cancellationToken);
        if (found is null)
        {
            return null;
        }

        if (!found.IsOf(message.BodyHash))
        {
            return new SubmitMessage.Refused(Problems.IdempotencyConflict);
        }

        var turn = await db.Turns.SingleAsync(turn => turn.Id == found.TargetId, cancellationToken);
        return new SubmitMessage.Accepted(turn.Id, turn.MessageSeq);
    }

    /// <summary>Remembers a key in the transaction that made what it stands for.</summary>
    public static void Remember(
        StoreTransaction transaction, string tenantId, string scope, string key, byte[] bodyHash, Guid targetId, DateTimeOffset at)
    {
        transaction.Db.IdempotencyKeys.Add(new IdempotencyRecord
        {
            TenantId = tenantId,
            Scope = scope,
            Key = key,
            BodyHash = bodyHash,
            TargetId = targetId,
            CreatedAt = at,
        });
        transaction.Db.SaveChanges();
    }

    /// <summary>What the user sent: a JSON string or array of blocks.</summary>
    public async Task<byte[]> ReadContentAsync(Guid sessionId, long messageSeq, CancellationToken cancellationToken)
    {
        var row = await events.ReadRowAsync(sessionId, messageSeq, cancellationToken);
        using var payload = JsonDocument.Parse(row.Payload);
        using var buffer = new MemoryStream();
        await using (var writer = new Utf8JsonWriter(buffer))
        {
            payload.RootElement.GetProperty("content").WriteTo(writer);
        }

        return buffer.ToArray();
    }
}

/// <summary>A turn that began, and where it stands in its session's log.</summary>
internal sealed record StartedTurn(Guid Id, long MessageSeq, long StartedSeq, long? CompletedSeq);
