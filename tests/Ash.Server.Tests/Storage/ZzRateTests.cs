#pragma warning disable
using System.Diagnostics;
using Ash.Server.Events;
using Ash.Server.Storage;
using Ash.Server.Tests.Events;
namespace Ash.Server.Tests.Storage;
public class ZzRateTests
{
    [Theory]
    [InlineData(1, 1, false), InlineData(20, 1, false), InlineData(200, 1, false), InlineData(20, 100, false), InlineData(1, 1, true), InlineData(20, 1, true)]
    public async Task Rate(int sessions, int rows, bool power)
    {
        await using var store = new TestStore();
        var payload = new byte[300];
        for (var round = 0; round < 2; round++)
        {
            var cpu = Environment.CpuUsage.TotalTime;
            var begun = Stopwatch.GetTimestamp();
            var count = 0L;
            await Task.WhenAll(Enumerable.Range(0, sessions).Select(_ => Task.Run(async () =>
            {
                var id = Guid.CreateVersion7();
                for (var seq = 0L; Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(2);)
                {
                    await store.Writer.WriteAsync(power ? Durability.Power : Durability.Process, transaction =>
                    {
                        for (var i = 0; i < rows; i++) transaction.Append(id, new EventRow(++seq, null, EventType.Cli, Rows.At, payload), true, true);
                    });
                    Interlocked.Add(ref count, rows);
                }
            })));
            var took = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            if (round == 1) await File.AppendAllTextAsync("/tmp/h-pg-rates.txt", $"{OnDatabaseAttribute.Current} sessions={sessions} rows={rows} power={power}: {count / took:0} rows/s, {(Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / count:0.0} us cpu/row\n");
        }
    }
}
[OnDatabase(TestDatabase.Postgres)]
public sealed class ZzRateOnPostgresTests : ZzRateTests;
