using Ash.Server.Events;
using CsCheck;
using static Ash.Server.Tests.Events.Rows;

namespace Ash.Server.Tests.Events;

public sealed class EventStreamTests
{
    private static readonly EventStreamRequest Everything = new(EventCursor.Start, EventFilter.All);
    private readonly ManualClock _clock = new();
    private readonly StoredLog _log = new();
    private readonly EventTail _tail = new(Session);

    private void Commit(EventRow[] rows, bool idle = false)
    {
        _log.Append(rows);
        _tail.Publish(rows, idle);
    }

    private Watcher Watch(EventStreamRequest request, CancellationTokenSource? leaving = null) =>
        new(_log, _tail, request, _clock, leaving);

    private static string Rendered(IEnumerable<EventRow> rows) => string.Concat(rows.Select(row => Render(row)));

    [Fact]
    public async Task Stream_HasTheHistory_AndThenWhatHappens()
    {
        var history = WholeTurn(1, Turn);
        _log.Append(history);
        var watcher = Watch(Everything);
        await watcher.ReadUntilIdAsync(7);

        var more = WholeTurn(8, OtherTurn);
        foreach (var row in more)
        {
            Commit([row]);
        }

        Assert.Equal(Rendered([.. history, .. more]), await watcher.ReadUntilIdAsync(14));
        Assert.False(watcher.Ended.IsCompleted);
        _tail.Complete();
        Assert.Equal(EventStreamEnd.SessionGone, await watcher.Ended);
    }

    [Fact]
    public async Task StreamOfATurn_EndsAfterItsDone_AndHasNothingElse()
    {
        var rows = WholeTurn(1, Turn);
        Commit(rows[..3]);
        var watcher = Watch(new(EventCursor.Start, new(Partial: true, Lifecycle: false, Turn)));
        await watcher.ReadUntilIdAsync(3);

        Commit([.. rows[3..], .. WholeTurn(8, OtherTurn)]);

        Assert.Equal(Rendered(rows[2..]), await watcher.ReadToEndAsync());
        Assert.Equal(EventStreamEnd.Reached, await watcher.Ended);
    }

    [Fact]
    public async Task StreamOfATurnThatEnded_EndsThere_FromWhereverItIsRead()
    {
        Commit(WholeTurn(1, Turn), idle: true);
        var filter = new EventFilter(Partial: false, Lifecycle: false, Turn);

        Assert.Equal(
            Rendered(WholeTurn(1, Turn).Where(row => row.Seq is not (1 or 2 or 4))),
            await Watch(new(EventCursor.Start, filter)).ReadToEndAsync());
        Assert.Equal("", await Watch(new(new(7), filter, Until: 7)).ReadToEndAsync());
    }

    [Fact]
    public async Task StreamOfASessionThatEnded_EndsWithWhatIsLeft_WhereItsRowsAreRemovedMeanwhile()
    {
        _log.Append(WholeTurn(1, Turn).AsSpan(0, 3));

        Assert.Equal(Rendered(WholeTurn(1, Turn)[..3]), await Watch(Everything with { Until = 7 }).ReadToEndAsync());
    }

    [Fact]
    public async Task QueuedTurn_HasCommentsOnly_UntilItStarts()
    {
        Commit(WholeTurn(1, Turn)[..2]);
        var watcher = Watch(new(EventCursor.Start, new(Partial: true, Lifecycle: false, Turn)));
        await _clock.TimerCreated;

        _clock.Advance(EventStream.KeepAliveInterval);

        Assert.Equal(": keep-alive\n\n", await watcher.ReadUntilAsync("\n\n"));
        Commit(WholeTurn(1, Turn)[2..3]);
        Assert.Equal(": keep-alive\n\n" + Rendered(WholeTurn(1, Turn)[2..3]), await watcher.ReadUntilIdAsync(3));
    }

    [Fact]
    public async Task SilentStream_SaysThatItIsThere_AgainAndAgain()
    {
        var watcher = Watch(Everything);
        await _clock.TimerCreated;
        for (var count = 1; count <= 4; count++)
        {
            _clock.Advance(EventStream.KeepAliveInterval);
            await watcher.ReadUntilAsync(string.Concat(Enumerable.Repeat(": keep-alive\n\n", count)));
        }
    }

    [Fact]
    public async Task BusyStream_SaysItOnlyAfterFifteenSilentSeconds()
    {
        var watcher = Watch(Everything);
        await _clock.TimerCreated;
        _clock.Advance(TimeSpan.FromSeconds(10));
        Commit([Cli(1, TextDelta)]);
        await watcher.ReadUntilIdAsync(1);

        _clock.Advance(TimeSpan.FromSeconds(5));
        Commit([Cli(2, TextDelta)]);
        Assert.Equal(Rendered([Cli(1, TextDelta), Cli(2, TextDelta)]), await watcher.ReadUntilIdAsync(2));

        _clock.Advance(TimeSpan.FromSeconds(10));
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.EndsWith("\nid: 2\n\n: keep-alive\n\n", await watcher.ReadUntilAsync("alive\n\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task UntilIdle_EndsWhenNothingRunsOrWaits()
    {
        var rows = WholeTurn(1, Turn);
        Commit(rows[..6]);
        var watcher = Watch(Everything with { UntilIdle = true });
        await watcher.ReadUntilIdAsync(6);
        Assert.False(watcher.Ended.IsCompleted);

        Commit(rows[6..], idle: true);

        Assert.Equal(Rendered(rows), await watcher.ReadToEndAsync());
        Assert.Equal(EventStreamEnd.Idle, await watcher.Ended);
    }

    [Fact]
    public async Task UntilIdle_OfASleepingSession_HasItsHistory()
    {
        _log.Append(WholeTurn(1, Turn));

        Assert.Equal(Rendered(WholeTurn(1, Turn)), await Watch(Everything with { UntilIdle = true }).ReadToEndAsync());
    }

    [Fact]
    public async Task PrunedRows_AreSaidToBeMissing_ToWhoWantsThem()
    {
        _log.Append([.. Enumerable.Range(1, 9).Select(seq => Cli(seq, TextDelta)), .. WholeTurn(10, Turn)]);
        _log.Prune(2, 8);
        var idle = Everything with { UntilIdle = true };

        Assert.StartsWith(
            Render(Cli(1, TextDelta)) + ": pruned 2-8\n\n" + Render(Cli(9, TextDelta)),
            await Watch(idle).ReadToEndAsync(),
            StringComparison.Ordinal);
        Assert.StartsWith(
            ": pruned 5-8\n\n" + Render(Cli(9, TextDelta)),
            await Watch(idle with { Cursor = new(4, 0) }).ReadToEndAsync(),
            StringComparison.Ordinal);
        Assert.DoesNotContain(
            "pruned",
            await Watch(idle with { Filter = new(Partial: false, Lifecycle: true) }).ReadToEndAsync(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task CursorInsideARow_GoesOnAtTheNextFrame()
    {
        Commit(WholeTurn(1, Turn), idle: true);
        foreach (var source in new[] { _tail, new EventTail(Session) })
        {
            async Task<string> FromAsync(EventCursor cursor) =>
                await new Watcher(_log, source, new(cursor, EventFilter.All, UntilIdle: true)).ReadToEndAsync();

            var rest = Rendered(WholeTurn(1, Turn)[4..]);
            Assert.Equal(Render(WholeTurn(1, Turn)[3], skip: 1) + rest, await FromAsync(new(4, 1)));
            Assert.Equal(rest, await FromAsync(new(4, 2)));
            Assert.Equal(rest, await FromAsync(new(4, 1000)));
        }
    }

    [Fact]
    public async Task ClientThatLeaves_EndsItsStream()
    {
        var watcher = Watch(Everything);
        await watcher.LeaveAsync();
        Commit([Cli(1, TextDelta)]);

        Assert.Equal(EventStreamEnd.Left, await watcher.Ended);
        Assert.Equal(0, _clock.TimerCount);
    }

    [Fact]
    public async Task Cancellation_EndsTheStream_WhetherItWaitsOrIsStalled()
    {
        using var cancellation = new CancellationTokenSource();
        var waiting = Watch(Everything, cancellation);
        Commit([Cli(1, TextDelta)]);
        await waiting.ReadUntilIdAsync(1);
        var stalled = Watch(Everything, cancellation);
        Commit([.. Enumerable.Range(2, 2000).Select(seq => Cli(seq, TextDelta))]);

        await cancellation.CancelAsync();

        Assert.Equal(EventStreamEnd.Left, await waiting.Ended);
        Assert.Equal(EventStreamEnd.Left, await stalled.Ended);
    }

    [Fact]
    public async Task LongRow_IsSentInPieces_FromTheStore()
    {
        var line = $$"""{"type":"result","result":"{{new string('x', 3_000_000)}}","num_turns":1}""";
        var rows = new[] { Cli(1, TextDelta), Cli(2, line), Cli(3, TextDelta) };
        Commit(rows, idle: true);

        Assert.Equal(Rendered(rows), await Watch(Everything with { UntilIdle = true }).ReadToEndAsync());
        Assert.Equal(
            Render(rows[1], skip: 1) + Render(rows[2]),
            await Watch(Everything with { Cursor = new(2, 1), UntilIdle = true }).ReadToEndAsync());
    }

    [Fact]
    public async Task StalledClient_KeepsNothingAlive_AndMissesNothing()
    {
        const int maxBytes = 128 * 1024;
        const int commits = 500;
        var small = new EventTail(Session, maxBytes);
        var stalled = new Watcher(_log, small, Everything);
        var fast = new Watcher(_log, small, Everything);
        List<WeakReference> segments = [];
        for (var commit = 0; commit < commits; commit++)
        {
            EventRow[] rows = [.. Enumerable.Range(1 + commit * 20, 20).Select(seq => Cli(seq, TextDelta))];
            _log.Append(rows);
            small.Publish(rows, idle: commit == commits - 1);
            segments.Add(Newest(small));
        }

        var all = await fast.ReadUntilIdAsync(commits * 20);
        GC.Collect();
        Assert.InRange(segments.Count(segment => segment.IsAlive), 1, 2 * maxBytes / (20 * Render(Cli(1, TextDelta)).Length));

        Assert.Equal(all, await stalled.ReadUntilIdAsync(commits * 20));
        Assert.Equal(Rendered(Enumerable.Range(1, commits * 20).Select(seq => Cli(seq, TextDelta))), all);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference Newest(EventTail tail)
    {
        Assert.True(tail.TryRead(tail.Head - 1, out var segment, out _));
        return new(segment);
    }

    [Fact]
    public async Task ManyClients_SeeTheSameBytes_WhileRowsArriveAndTheTailIsShort()
    {
        const int last = 6000;
        var shortPages = new StoredLog(maxPageRows: 37);
        var shortTail = new EventTail(Session, maxBytes: 32 * 1024);
        shortPages.Append(Cli(1, TextDelta));
        shortTail.Start(1, idle: false);
        var random = new Random(7);
        var writer = Task.Run(
            () =>
            {
                for (var seq = 2; seq <= last;)
                {
                    var count = Math.Min(random.Next(1, 12), last - seq + 1);
                    EventRow[] rows = [.. Enumerable.Range(seq, count).Select(SomeRow)];
                    seq += count;
                    shortPages.Append(rows);
                    shortTail.Publish(rows, idle: seq > last);
                }
            },
            TestContext.Current.CancellationToken);
        var readers = Enumerable.Range(0, 12).Select(async index =>
        {
            var watcher = new Watcher(shortPages, shortTail, Everything with { Cursor = new(index * 300), UntilIdle = true });
            return (First: index * 300 + 1, Text: await watcher.ReadToEndAsync());
        }).ToArray();

        await writer;
        EventRow[] all = [Cli(1, TextDelta), .. Enumerable.Range(2, last - 1).Select(SomeRow)];
        foreach (var (first, text) in await Task.WhenAll(readers))
        {
            // Not by Assert.Equal, which would print megabytes.
            Assert.True(text == Rendered(all[(first - 1)..]), $"A row was lost or doubled after {first}.");
        }
    }

    private static EventRow SomeRow(int seq) => (seq % 5) switch
    {
        0 => Cli(seq, """{"type":"result","num_turns":1,"result":"x"}"""),
        1 => Row(seq, EventType.Resource, """{"memory":1}"""),
        _ => Cli(seq, TextDelta),
    };

    [Fact]
    public async Task CutAnywhereAndResumed_AStreamIsTheSame()
    {
        var turns = Gen.OneOf<Guid?>(null, Turn, OtherTurn);
        var payloads = Gen.OneOf<(EventType, string)>(
            (EventType.Cli, TextDelta),
            (EventType.Cli, """{"type":"system","subtype":"status","status":"requesting"}"""),
            (EventType.Cli, """{"type":"assistant","message":{"content":[{"type":"tool_use","id":"1"},{"type":"x"},{"type":"thinking","thinking":"t"}]}}"""),
            (EventType.Cli, """{"num_turns":1,"type":"result","result":"r"}"""),
            (EventType.Cli, $$"""{"type":"user","text":"{{new string('y', 70_000)}}"}"""),
            (EventType.Message, """{"content":"hi"}"""),
            (EventType.TurnStarted, """{"version":"1"}"""),
            (EventType.TurnCompleted, """{"reason":"timeout","error":"e"}"""),
            (EventType.SandboxLost, "{}"));
        var rows = Gen.Select(payloads, turns, Gen.Frequency((20, 1), (1, 1_000_000))).Array[1, 40];
        var filters = Gen.Select(Gen.Bool, Gen.Bool, turns, (partial, lifecycle, turn) => new EventFilter(partial, lifecycle, turn));

        await Gen.Select(rows, filters, Gen.Int[0, 40], Gen.Int[1, 10], Gen.Int[0, 200]).SampleAsync(
            async (kinds, filter, storedOnly, pageRows, cutAt) =>
            {
                var _log = new StoredLog(pageRows);
                var _tail = new EventTail(Session, maxBytes: 300_000);
                var seq = 0L;
                var index = 0;
                var ends = new Dictionary<Guid, long>();
                foreach (var ((type, payload), turn, step) in kinds)
                {
                    if (type == EventType.TurnCompleted && !ends.TryAdd(turn ?? Guid.Empty, seq + step))
                    {
                        continue; // A turn ends once.
                    }

                    var row = Row(seq += step, type, payload, turn);
                    _log.Append(row);
                    if (index++ >= storedOnly)
                    {
                        _tail.Publish([row], idle: true);
                    }
                }

                long? end = filter.TurnId is { } only && ends.TryGetValue(only, out var endSeq) ? endSeq : null;

                async Task<string> FromAsync(EventCursor cursor) =>
                    await new Watcher(_log, _tail, new(cursor, filter, UntilIdle: true, end)).ReadToEndAsync();

                var whole = await FromAsync(EventCursor.Start);
                var frames = whole.Split("\n\n")[..^1];
                if (frames.Length == 0)
                {
                    return;
                }

                var cut = cutAt % frames.Length;
                var id = frames[cut].Split('\n')[^1];
                Assert.StartsWith("id: ", id, StringComparison.Ordinal);
                Assert.True(EventCursor.TryParse(id.AsSpan(4), out var cursor));
                var seen = string.Concat(frames[..(cut + 1)].Select(frame => frame + "\n\n"));
                Assert.Equal(whole, seen + await FromAsync(cursor));
            },
            iter: 400);
    }
}
