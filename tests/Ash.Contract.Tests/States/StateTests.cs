using System.Collections.Concurrent;

namespace Ash.Contract.Tests.States;

/// <summary>The states that a session comes to by the API alone.</summary>
public sealed class StateTests(ContractServer server) : ContractTests(server)
{
    private static readonly ConcurrentDictionary<string, ConcurrentBag<StatefulSession>> Free = new();

    public static TheoryData<string, string, string> Cells => StateTable.CellsOf("active", "busy", "paused", "stopped", "ended");

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Cells))]
    public async Task Operation_DoesWhatItsStateAllows(string operation, string state, string outcome)
    {
        var session = await TakeAsync(state);

        if (await new StateCell(Api).CheckAsync(operation, session, outcome))
        {
            Free.GetOrAdd(state, static _ => []).Add(session);
        }
        else
        {
            session.Release?.Invoke();
        }
    }

    [Fact(Timeout = Limit)]
    public void EveryOperationOfASession_IsInTheTable()
    {
        var described = Server.Description.Operations.Where(operation => operation.IsOfSession)
            .Select(operation => $"{operation.Method} {operation.Path["/api/sessions/{id}".Length..]}".Trim());

        Assert.Empty(described.Except(StateTable.Operations));
    }

    /// <summary>Sessions that an operation left as they were serve the next one: starting each costs a third of a second.</summary>
    private async Task<StatefulSession> TakeAsync(string state)
    {
        if (Free.GetOrAdd(state, static _ => []).TryTake(out var free))
        {
            return free;
        }

        var address = await CreateSessionAsync();
        switch (state)
        {
            case "busy":
                return await KeepBusyAsync(address);
            case "paused":
                (await Api.PostAsync($"{address}/pause")).Is(200);
                Assert.Equal("sandbox", (await Api.GetAsync($"{address}/files")).Is(200).GetProperty("source").GetString());
                break;
            case "stopped":
                (await Api.PostAsync($"{address}/stop")).Is(200);
                break;
            case "ended":
                (await Api.DeleteAsync(address)).Is(200);
                break;
        }

        return new StatefulSession(address, state);
    }

    private async Task<StatefulSession> KeepBusyAsync(string address)
    {
        var model = Server.Own.Model;
        var gate = NewName();
        using (await Api.OpenAsync("POST", $"{address}/messages", System.Text.Encoding.UTF8.GetBytes(HeldMessage(gate))))
        {
            await model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken);
        }

        return new StatefulSession(address, "busy", () => model.Release(gate));
    }
}
