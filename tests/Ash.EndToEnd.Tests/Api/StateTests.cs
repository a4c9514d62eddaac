using System.Collections.Concurrent;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>Every operation in every state of a session: contract 2.3 with the deviations of the design's 4.2.</summary>
[Collection(typeof(ApiTests))]
public sealed class StateTests(ApiServer fixture)
{
    /// <summary>In the order of <see cref="States"/>: a status, and the session's status after it; or a status and the text of the error.</summary>
    private static readonly (string Operation, string[] Outcomes)[] Table =
    [
        ("GET", ["200 active", "200 paused", "200 stopped", "200 ended"]),
        ("GET /messages", ["200 active", "200 paused", "200 stopped", "200 ended"]),
        ("GET /events", ["200 active", "200 paused", "200 stopped", "200 ended"]),
        ("GET /stream?until=idle", ["200 active", "200 paused", "200 stopped", "200 ended"]),
        ("POST /interrupt", ["200 active", "200 paused", "200 stopped", "200 ended"]),
        ("POST /messages", ["200 active", "200 active", "400 Session is stopped", "400 Session is ended"]),
        ("POST /exec", ["200 active", "200 active", "400 Session is stopped", "400 Session is ended"]),
        ("POST /pause", [
            "200 paused",
            "400 Cannot pause session with status \"paused\"",
            "400 Cannot pause session with status \"stopped\"",
            "400 Cannot pause session with status \"ended\""]),
        ("POST /stop", [
            "200 stopped",
            "400 Cannot stop session with status \"paused\"",
            "400 Cannot stop session with status \"stopped\"",
            "400 Cannot stop session with status \"ended\""]),
        ("POST /resume", ["200 active", "200 active", "200 active", "410 Session has ended — create a new session"]),
        ("DELETE", ["200 ended", "200 ended", "200 ended", "200 ended"]),
    ];

    private static readonly string[] States = ["active", "paused", "stopped", "ended"];

    public static TheoryData<string, string, string> Cells => new(
        from row in Table
        from cell in States.Zip(row.Outcomes)
        select new TheoryDataRow<string, string, string>(row.Operation, cell.First, cell.Second));

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Cells))]
    public async Task Operation_DoesWhatItsStateAllows(string operation, string state, string outcome)
    {
        var server = fixture.Server;
        var id = await TakeSessionAsync(server, state);
        var (method, rest) = operation.Split(' ') is [var verb, var path] ? (verb, path) : (operation, "");
        var body = rest switch
        {
            "/messages" when method == "POST" => """{"content":"hello"}""",
            "/exec" => """{"command":"true"}""",
            _ => null,
        };

        var answer = await server.AskAsync(method, $"/api/sessions/{id}{rest}", body);

        var (status, text) = (int.Parse(outcome[..3], System.Globalization.CultureInfo.InvariantCulture), outcome[4..]);
        if (status == 200)
        {
            Assert.True(answer.Status == System.Net.HttpStatusCode.OK, answer.Body);
            Assert.Equal(text, await StatusOfAsync(server, id));
        }
        else
        {
            answer.IsError(status, status == 410 ? "session_ended" : "session_state", text);
            Assert.Equal(state, await StatusOfAsync(server, id));
        }

        Give(state, outcome, id);
    }

    private static readonly ConcurrentDictionary<string, ConcurrentBag<Guid>> Free = new();

    /// <summary>Sessions that an operation left as they were serve the next one: starting each costs a third of a second.</summary>
    private static async Task<Guid> TakeSessionAsync(AshServer server, string state)
    {
        if (Free.GetOrAdd(state, static _ => []).TryTake(out var free))
        {
            return free;
        }

        var id = (await server.CreateSessionAsync()).Id;
        await (state switch
        {
            "paused" => server.Client.Sessions.PauseAsync(id),
            "stopped" => server.Client.Sessions.StopAsync(id),
            "ended" => server.Client.Sessions.EndAsync(id),
            _ => Task.CompletedTask,
        });
        return id;
    }

    private static void Give(string state, string outcome, Guid id)
    {
        if (outcome[..3] != "200" || outcome[4..] == state)
        {
            Free[state].Add(id);
        }
    }

    private static async Task<string> StatusOfAsync(AshServer server, Guid id) =>
        (await server.AskAsync("GET", $"/api/sessions/{id}")).IsSuccess().GetProperty("session").GetProperty("status").GetString()!;
}
