using Ash.Simulator.Requests;

namespace Ash.Simulator.Tests.Requests;

public sealed class RequestLogTests
{
    [Fact]
    public void OldestRequests_AreForgotten_BeyondTheNumberKept()
    {
        var log = new RequestLog(kept: 2, keptBytes: 1000);

        for (var number = 1; number <= 3; number++)
        {
            log.Add(Request(number, bytes: 1));
        }

        Assert.Equal([2, 3], log.Snapshot().Select(request => request.Number));
    }

    [Fact]
    public void OldestRequests_AreForgotten_BeyondTheBytesKept_ButNeverTheNewest()
    {
        var log = new RequestLog(kept: 10, keptBytes: 100);
        log.Add(Request(1, bytes: 60));
        log.Add(Request(2, bytes: 60));
        Assert.Equal([2], log.Snapshot().Select(request => request.Number));

        log.Add(Request(3, bytes: 1000));
        Assert.Equal([3], log.Snapshot().Select(request => request.Number));
    }

    [Fact]
    public async Task Wait_FindsWhatIsThere_WhatComes_AndWhatChanges()
    {
        var log = new RequestLog(kept: 10, keptBytes: 1000);
        var first = Request(1, bytes: 1);
        log.Add(first);
        Assert.Same(first, await log.WaitAsync(request => request.Number == 1, TestContext.Current.CancellationToken));

        var second = log.WaitAsync(request => request.Number == 2, TestContext.Current.CancellationToken);
        var ended = log.WaitAsync(request => request.Outcome is not null, TestContext.Current.CancellationToken);
        Assert.False(second.IsCompleted);
        log.Add(Request(2, bytes: 1));
        Assert.Equal(2, (await second).Number);

        Assert.False(ended.IsCompleted);
        first.Outcome = new(200, "200", TimeSpan.Zero);
        log.SignalChange();
        Assert.Same(first, await ended);
    }

    private static RecordedRequest Request(int number, int bytes) => new()
    {
        Number = number,
        ReceivedAt = DateTimeOffset.UnixEpoch,
        Method = "POST",
        Path = "/v1/messages",
        Query = "",
        Headers = new Dictionary<string, string>(),
        Body = new byte[bytes],
        RequestId = "req",
    };
}
