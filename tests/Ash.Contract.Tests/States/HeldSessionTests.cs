namespace Ash.Contract.Tests.States;

/// <summary>The states that need a hand on the server: a start that waits for a place, a sandbox that is gone, a start that fails.</summary>
public sealed class HeldSessionTests(ContractServer server, HeldSessions sessions) : ContractTests(server), IClassFixture<HeldSessions>
{
    public static TheoryData<string, string, string> Cells => StateTable.CellsOf("starting", "evicted", "error");

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Cells))]
    public async Task Operation_DoesWhatItsStateAllows(string operation, string state, string outcome)
    {
        Assert.True(Server.Own is not null);
        var session = await sessions.TakeAsync(state, Server);
        var cell = new StateCell(sessions.Api);

        if (await cell.CheckAsync(operation, session, outcome))
        {
            sessions.Give(session);
            return;
        }

        session.Release?.Invoke();
        if (state == "starting")
        {
            // Whoever asked for it is answered with what became of it meanwhile.
            var created = (await sessions.Creation).Is(201).GetProperty("session");
            Assert.Equal(session.Address.Split('/')[^1], created.GetProperty("id").GetString());
            Assert.Equal(outcome[4..], created.GetProperty("status").GetString());
            Assert.Equal(outcome[4..], await cell.StatusOfAsync(session.Address));
        }
    }
}
