using Ash.Server.Events;
using Ash.Server.Sessions;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Sessions;

/// <summary>Streams that begin while their session ends: who asked for one had it found a moment ago.</summary>
public sealed class SessionStreamsTests
{
    private const int Limit = 60_000;

    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task StreamThatCameTooLate_Ends(bool purge)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.EndAsync(session.Id, purge);
        while (server.Get<EventTails>().Count > 0)
        {
            await Task.Delay(10);
        }

        await server.Get<SessionStreams>().WaitAsync(
            session.Id, new EventStreamRequest(EventCursor.Start, EventFilter.All), TestContext.Current.CancellationToken);
    }
}
