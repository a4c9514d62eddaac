using Ash.Server.Configuration;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>Removes the partial rows of turns that ended long enough ago. Whoever reads over them is told which are gone.</summary>
internal sealed partial class DeltaSweeper(
    IDbContextFactory<AshDbContext> contexts,
    StoreWriter writer,
    ServerSettings settings,
    TimeProvider clock,
    ILogger<DeltaSweeper> logger) : Sweeper(TimeSpan.FromMinutes(10), clock)
{
    private const int TurnsAtOnce = 100;

    /// <summary>Small enough that nobody's message waits for it.</summary>
    private const int RowsAtOnce = 500;

    internal override async Task SweepAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<TurnRecord> expired;
        do
        {
            expired = await FindExpiredAsync(cancellationToken);
            foreach (var turn in expired)
            {
                await PruneAsync(turn, cancellationToken);
            }
        }
        while (expired.Count == TurnsAtOnce);
    }

    private async Task<IReadOnlyList<TurnRecord>> FindExpiredAsync(CancellationToken cancellationToken)
    {
        var cutoff = Clock.GetUtcNow() - settings.DeltaRetention;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Turns
            .Where(turn => turn.DeltasPrunedAt == null && turn.EndedAt <= cutoff)
            .OrderBy(turn => turn.EndedAt)
            .Take(TurnsAtOnce)
            .ToListAsync(cancellationToken);
    }

    private async Task PruneAsync(TurnRecord turn, CancellationToken cancellationToken)
    {
        int removed;
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            removed = await writer.WriteAsync(Durability.Process, transaction => Prune(transaction, turn));
        }
        while (removed == RowsAtOnce);
    }

    /// <summary>A step; the last one says that the turn is done with.</summary>
    private int Prune(StoreTransaction transaction, TurnRecord turn)
    {
        var removed = turn is { StartedSeq: { } started, CompletedSeq: { } completed }
            ? transaction.RemoveDeltas(turn.SessionId, started, completed, RowsAtOnce)
            : 0;
        if (removed < RowsAtOnce)
        {
            transaction.SetDeltasPruned(turn.Id, Clock.GetUtcNow());
        }

        return removed;
    }

    [LoggerMessage(LogLevel.Error, "Could not remove the partial rows that have expired; tried again in ten minutes")]
    protected override partial void LogSweepFailed(Exception failure);
}
