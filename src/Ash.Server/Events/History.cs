namespace Ash.Server.Events;

/// <summary>The history of a session: what users sent, and the <c>assistant</c> and <c>result</c> lines of the CLI.</summary>
internal static class History
{
    private static readonly byte[][] LineMembers = CliLine.Names("type", "subtype");
    private static readonly byte[][] MessageMembers = CliLine.Names("content");

    /// <summary>The message that a row is, or null.</summary>
    public static LogItem? Read(Guid session, in EventRow row) => ContentOf(row) is { } content
        ? new LogItem(Uuid5.OfRow(session, row.Seq, 0), row.Type == EventType.Message ? "user" : "assistant", content, row.Seq, row.At)
        : null;

    private static JsonPieces? ContentOf(in EventRow row)
    {
        var payload = row.Payload.Span;
        Span<JsonSlice> found = stackalloc JsonSlice[2];
        switch (row.Type)
        {
            case EventType.Message when Json.TryFind(payload, JsonSlice.Whole(payload), MessageMembers, found):
                return found[0].Exists
                    ? new JsonPieces(row.Payload).BeginObject().AddMember("type", "user").AddMember("content", found[0]).EndObject()
                    : null;
            case EventType.Cli when Json.TryFind(payload, JsonSlice.Whole(payload), LineMembers, found):
                return CliLine.KindOf(payload, found[0], found[1]) is CliLineKind.Assistant or CliLineKind.Result
                    ? JsonPieces.Whole(row.Payload)
                    : null;
            default:
                return null;
        }
    }
}
