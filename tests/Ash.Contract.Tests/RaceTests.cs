namespace Ash.Contract.Tests;

/// <summary>Calls of one session that come at once: each is answered as if the others had come before or after it.</summary>
public sealed class RaceTests(ContractServer server) : ContractTests(server)
{
    private const int Rounds = 8;

    [Fact(Timeout = Limit)]
    public async Task EndThatComesWithOtherCalls_LeavesNoneOfThemWithoutAnAnswer()
    {
        var agent = await DeployAsync();
        for (var round = 0; round < Rounds; round++)
        {
            var session = await CreateSessionAsync(agent);
            (string Method, string Path, string? Body)[] calls =
            [
                ("DELETE", session, null),
                ("POST", $"{session}/messages", """{"content":"hello"}"""),
                ("DELETE", $"{session}?purge=true", null),
                ("POST", $"{session}/exec", """{"command":"true"}"""),
                ("POST", $"{session}/pause", null),
                ("DELETE", session, null),
                ("PATCH", $"{session}/config", """{"model":"claude-x"}"""),
                ("POST", $"{session}/resume", null),
                ("POST", $"{session}/interrupt", null),
                ("POST", $"{session}/stop", null),
                ("DELETE", $"{session}?purge=true", null),
                ("GET", $"{session}/events", null),
                ("GET", session, null),
            ];

            var answers = await Task.WhenAll(calls.Skip(round % 3).Select(call => Api.SendAsync(call.Method, call.Path, call.Body)));

            Assert.Empty(answers.Where(answer => answer.Status >= 500).Select(answer => answer.Text));
            (await Api.GetAsync(session)).IsError(404, "session_not_found");
        }
    }
}
