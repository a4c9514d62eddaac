using System.Text;
using Ash.Protocol.Api;

namespace Ash.Server.Events;

/// <summary>The history of a session: what users sent, and the <c>assistant</c> and <c>result</c> lines of the CLI.</summary>
internal static class History
{
    private static readonly byte[][] LineMembers = CliLine.Names("type", "subtype");
    private static readonly byte[][] MessageMembers = CliLine.Names("content");

    /// <summary>The message that a row is, or null.</summary>
    public static MessageInfo? Read(Guid session, string tenantId, in EventRow row)
    {
        if (ContentOf(row) is not { } content)
        {
            return null;
        }

        return new()
        {
            Id = Uuid5.OfRow(session, row.Seq, 0),
            SessionId = session,
            TenantId = tenantId,
            Role = row.Type == EventType.Message ? "user" : "assistant",
            Content = content,
            Sequence = row.Seq,
            CreatedAt = row.At,
        };
    }

    private static string? ContentOf(in EventRow row)
    {
        var payload = row.Payload.Span;
        Span<JsonSlice> found = stackalloc JsonSlice[2];
        switch (row.Type)
        {
            case EventType.Message when Json.TryFind(payload, JsonSlice.Whole(payload), MessageMembers, found):
                return found[0].Exists
                    ? $$"""{"type":"user","content":{{Encoding.UTF8.GetString(found[0].In(payload))}}}"""
                    : null;
            case EventType.Cli when Json.TryFind(payload, JsonSlice.Whole(payload), LineMembers, found):
                return CliLine.KindOf(payload, found[0], found[1]) is CliLineKind.Assistant or CliLineKind.Result
                    ? Encoding.UTF8.GetString(payload)
                    : null;
            default:
                return null;
        }
    }
}
