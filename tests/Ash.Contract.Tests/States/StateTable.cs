namespace Ash.Contract.Tests.States;

/// <summary>Every operation of a session in every state: contract 2.3 with the deviations of the design's 4.2.</summary>
internal static class StateTable
{
    /// <summary>
    /// A status as clients see it, or what they can tell apart within one: <c>busy</c> is active with a running turn,
    /// <c>evicted</c> is paused without a sandbox.
    /// </summary>
    public static readonly string[] States = ["starting", "active", "busy", "paused", "evicted", "error", "stopped", "ended"];

    /// <summary>
    /// In the order of <see cref="States"/>: an answer and the session's status after it, <c>=</c> for the one before;
    /// or an answer and the text of its error, which changes nothing.
    /// </summary>
    private static readonly (string Operation, string[] Outcomes)[] Rows =
    [
        ("GET", Everywhere("200 =")),
        ("PATCH /config", Everywhere("200 =")),
        ("GET /messages", Everywhere("200 =")),
        ("GET /events", Everywhere("200 =")),
        ("GET /stream", Everywhere("200 =")),
        ("GET /turns/{turnId}", Everywhere("404 Turn not found in this session")),
        ("GET /files", Everywhere("200 =")),
        ("GET /files/{path}", Everywhere("200 =")),
        ("GET /workspace", Everywhere("200 =")),
        ("GET /attachments", Everywhere("200 =")),
        ("GET /logs", Everywhere("200 =")),
        ("POST /fork", Everywhere("201 =")),
        ("POST /files", UntilTheEnd("200 =")),
        ("DELETE /files/{path}", UntilTheEnd("200 =")),
        ("POST /workspace", UntilTheEnd("200 =")),
        ("POST /attachments", UntilTheEnd("201 =")),
        ("POST /interrupt", Everywhere("200 =")),
        ("POST /messages", Working()),
        ("POST /exec", Working()),
        ("POST /pause", [
            Cannot("pause", "starting"), "200 paused", "200 paused", Cannot("pause", "paused"), Cannot("pause", "paused"),
            Cannot("pause", "error"), Cannot("pause", "stopped"), Cannot("pause", "ended")]),
        ("POST /stop", [
            "200 stopped", "200 stopped", "200 stopped", Cannot("stop", "paused"), Cannot("stop", "paused"),
            Cannot("stop", "error"), Cannot("stop", "stopped"), Cannot("stop", "ended")]),
        ("POST /resume", [
            "200 active", "200 active", "200 active", "200 active", "200 active",
            "200 active", "200 active", "410 Session has ended — create a new session"]),
        ("DELETE", Everywhere("200 ended")),
    ];

    public static IEnumerable<string> Operations => Rows.Select(row => row.Operation);

    /// <summary>The cells of these states.</summary>
    public static TheoryData<string, string, string> CellsOf(params string[] states) => new(
        from row in Rows
        from cell in States.Zip(row.Outcomes)
        where states.Contains(cell.First)
        orderby Array.IndexOf(states, cell.First)
        select new TheoryDataRow<string, string, string>(row.Operation, cell.First, cell.Second));

    private static string[] Everywhere(string outcome) => [.. States.Select(_ => outcome)];

    /// <summary>The files of a session that has ended can be read, and not written.</summary>
    private static string[] UntilTheEnd(string outcome) => [.. States.Select(state => state == "ended" ? "400 Session is ended" : outcome)];

    /// <summary>Whoever asks for work need not resume first, but where somebody said stop.</summary>
    private static string[] Working() =>
    [
        .. States.Select(state => state is "stopped" or "ended" ? $"400 Session is {state}" : "200 active"),
    ];

    private static string Cannot(string verb, string status) => $"400 Cannot {verb} session with status \"{status}\"";
}
