using Ash.Server.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ash.Server.Tests.Configuration;

public sealed class LogLineFormatterTests
{
    [Fact]
    public void Event_IsOneLine_ItsFailureIncluded()
    {
        using var output = new StringWriter();
        var entry = new LogEntry<string>(
            LogLevel.Warning, "Ash.X", new EventId(7), "two\nlines", new IOException("broken\r\npipe"), (state, _) => state);

        new LogLineFormatter(new At()).Write(entry, null, output);

        Assert.Equal(
            "2026-01-02T03:04:05.006Z warning Ash.X: two lines System.IO.IOException: broken pipe\n", output.ToString());
    }

    private sealed class At : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 1, 2, 3, 4, 5, 6, TimeSpan.Zero);
    }
}
