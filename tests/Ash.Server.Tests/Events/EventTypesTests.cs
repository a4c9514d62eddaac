using System.Text;
using Ash.Server.Events;

namespace Ash.Server.Tests.Events;

public sealed class EventTypesTests
{
    [Fact]
    public void Names_AreThoseThatAreStored() =>
        Assert.Equal(
            [
                "message", "cli", "session.created", "session.paused", "session.woken", "session.stopped", "session.ended",
                "session.repaired", "turn.queued", "turn.started", "turn.completed", "sandbox.started", "sandbox.lost",
                "resource", "egress", "budget", "error",
            ],
            Enum.GetValues<EventType>().Select(type => type.Name));

    [Fact]
    public void Name_IsReadBack_FromTextAndFromBytes()
    {
        foreach (var type in Enum.GetValues<EventType>())
        {
            Assert.True(EventTypes.TryParse(type.Name, out var fromText));
            Assert.True(EventTypes.TryParse(type.Utf8Name, out var fromBytes));
            Assert.Equal(type, fromText);
            Assert.Equal(type, fromBytes);
            Assert.Equal(type.Name, Encoding.UTF8.GetString(type.Utf8Name));
        }
    }

    [Fact]
    public void UnknownName_IsNone()
    {
        Assert.False(EventTypes.TryParse("Message", out _));
        Assert.False(EventTypes.TryParse((string?)null, out _));
        Assert.False(EventTypes.TryParse("turn"u8, out _));
    }
}
