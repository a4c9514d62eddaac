using System.Text;
using Ash.Server.Events;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using CsCheck;

namespace Ash.Server.Tests.Storage;

/// <summary>Whatever many sessions append, update and fail at once: what is stored is what their callers were told.</summary>
public class StoreModelTests
{
    private const int Sessions = 8;

    private enum Kind
    {
        Append,
        AppendAndFail,
        AppendTwiceTheSameNumber,
        Touch,
        TouchAndFail,
    }

    private sealed record Step(Kind Kind, int Rows, bool Synced);

    private static readonly Gen<Step[][]> Plans = Gen.Select(
            Gen.Frequency((6, Gen.Const(Kind.Append)), (1, Gen.Const(Kind.AppendAndFail)), (1, Gen.Const(Kind.AppendTwiceTheSameNumber)), (2, Gen.Const(Kind.Touch)), (1, Gen.Const(Kind.TouchAndFail))),
            Gen.Int[0, 5],
            Gen.Int[0, 9],
            static (kind, rows, synced) => new Step(kind, rows, synced == 0))
        .Array[0, 20].Array[Sessions];

    [Fact(Timeout = 120_000)]
    public async Task Store_HoldsWhatSucceeded_AndNothingOfWhatFailed() => await Plans.SampleAsync(
        static async plans =>
        {
            await using var store = new TestStore();
            var expected = await Task.WhenAll(plans.Select((plan, index) => Task.Run(() => PlayAsync(store, index, plan))));
            foreach (var (session, texts, label) in expected)
            {
                var rows = await store.RowsAsync(session);
                Assert.Equal(Enumerable.Range(1, texts.Count).Select(seq => (long)seq), rows.Select(row => row.Seq));
                Assert.Equal(texts, rows.Select(row => Encoding.UTF8.GetString(row.Payload.Span)));
                Assert.Equal(label is null ? [] : [label], (await store.LabelsAsync()).Where(l => l.StartsWith($"{session}", StringComparison.Ordinal)));
            }
        },
        iter: 25,
        threads: 1);

    private static async Task<(Guid Session, List<string> Texts, string? Label)> PlayAsync(TestStore store, int index, Step[] plan)
    {
        var session = Guid.CreateVersion7();
        using var log = store.OpenLog(session);
        List<string> texts = [];
        string? label = null;
        for (var number = 0; number < plan.Length; number++)
        {
            var step = plan[number];
            var durability = step.Synced ? Durability.Power : Durability.Process;
            var mine = Enumerable.Range(0, step.Rows).Select(row => $$"""{"step":{{number}},"row":{{row}}}""").ToList();
            LogEntry[] entries = [.. mine.Select(text => new LogEntry(EventType.Cli, null, Encoding.UTF8.GetBytes(text)))];
            var next = $"{session} {number}";
            switch (step.Kind)
            {
                case Kind.Append:
                    await log.AppendAsync(entries, durability, idle: true);
                    texts.AddRange(mine);
                    break;
                case Kind.AppendAndFail:
                    await Assert.ThrowsAsync<InvalidOperationException>(() =>
                        log.AppendAsync(entries, durability, idle: true, static (_, _) => throw new InvalidOperationException()));
                    break;
                case Kind.AppendTwiceTheSameNumber when entries.Length > 0:
                    await Assert.ThrowsAsync<StoreException>(() => log.AppendAsync(
                        entries, durability, idle: true, (transaction, rows) => transaction.Append(session, rows[0], inlinePayload: true)));
                    break;
                case Kind.Touch:
                    await log.AppendAsync(entries, durability, idle: true, (transaction, _) => Relabel(transaction, session, next));
                    texts.AddRange(mine);
                    label = next;
                    break;
                case Kind.TouchAndFail:
                    await Assert.ThrowsAsync<InvalidOperationException>(() => store.Writer.WriteAsync(durability, transaction =>
                    {
                        Relabel(transaction, session, next);
                        throw new InvalidOperationException();
                    }));
                    break;
            }
        }

        return (session, texts, label);
    }

    private static void Relabel(StoreTransaction transaction, Guid session, string label)
    {
        var key = transaction.Db.ApiKeys.SingleOrDefault(key => key.Id == session);
        if (key is null)
        {
            key = new ApiKeyRecord { Id = session, TenantId = "t", Label = label, KeyHash = label };
            transaction.Db.ApiKeys.Add(key);
        }

        key.Label = label;
        transaction.Db.SaveChanges();
    }
}

[OnDatabase(TestDatabase.Postgres)]
public sealed class StoreModelOnPostgresTests : StoreModelTests;
