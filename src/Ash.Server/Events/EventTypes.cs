using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Ash.Server.Events;

/// <summary>The names under which event types are stored and sent. They never change.</summary>
internal static class EventTypes
{
    private static readonly string[] Names =
    [
        "message",
        "cli",
        "session.created",
        "session.paused",
        "session.woken",
        "session.stopped",
        "session.ended",
        "session.repaired",
        "turn.queued",
        "turn.started",
        "turn.completed",
        "sandbox.started",
        "sandbox.lost",
        "resource",
        "egress",
        "budget",
        "error",
    ];

    private static readonly byte[][] Utf8Names = [.. Names.Select(Encoding.UTF8.GetBytes)];

    extension(EventType type)
    {
        public string Name => Names[(int)type];

        public ReadOnlySpan<byte> Utf8Name => Utf8Names[(int)type];
    }

    /// <summary>Reads a stored name; false where it is none of them.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out EventType type)
    {
        type = (EventType)Array.IndexOf(Names, name);
        return (int)type >= 0;
    }

    /// <summary>Reads a stored name from its bytes; false where it is none of them.</summary>
    public static bool TryParse(ReadOnlySpan<byte> name, out EventType type)
    {
        for (var index = 0; index < Utf8Names.Length; index++)
        {
            if (name.SequenceEqual(Utf8Names[index]))
            {
                type = (EventType)index;
                return true;
            }
        }

        type = default;
        return false;
    }
}
