using Ash.Client.Events;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>What happens to a turn and its session when something in the sandbox dies, at whatever moment.</summary>
public sealed class ProcessDeathTests(FaultServer fixture) : IClassFixture<FaultServer>
{
    private const int Limit = 600_000;

    private AshServer Server => fixture.Server;

    public static TheoryData<Moment> Moments => [Moment.BeforeTheFirstByte, Moment.WithinADelta, Moment.WithinATool];

    [Theory(Timeout = Limit), MemberData(nameof(Moments))]
    public async Task DeathOfTheCli_EndsTheTurn_AndTheNextOneGoesOn(Moment moment)
    {
        for (var i = 0; i < Repetitions.Count; i++)
        {
            var struck = await StruckTurn.BeginAsync(Server, moment);
            var before = Server.CliOf(struck.Session);

            before.Kill();
            var turn = await struck.Sending;

            Assert.Equal(("sandbox_lost", "cli_exited", true), (turn.Reason, turn.Code, turn.Retryable));
            var log = await Server.ReadLogAsync(struck.Session);
            var loss = Assert.Single(log.Select(e => e.Body).OfType<Lifecycle>(), fact => fact.Type == "sandbox.lost");
            Assert.Equal("cli_exited", loss.Fact.GetProperty("cause").GetString());
            Assert.Equal(9, loss.Fact.GetProperty("signal").GetInt32());
            await struck.AssertConversationIsIntactAsync(Server);
            var after = Server.CliOf(struck.Session);
            Assert.NotEqual(before.Pid, after.Pid);
            Assert.Equal(before.Sandbox, after.Sandbox);
            await Server.Client.Sessions.EndAsync(struck.Session);
        }
    }

    [Theory(Timeout = Limit), MemberData(nameof(Moments))]
    public async Task DeathOfTheBridge_EndsTheTurn_AndTheNextOneGoesOn(Moment moment) =>
        await StrikeSandboxAsync(moment, session => Server.BridgeOf(session).Kill());

    [Theory(Timeout = Limit), MemberData(nameof(Moments))]
    public async Task DeathOfTheWholeSandbox_EndsTheTurn_AndTheNextOneGoesOn(Moment moment) =>
        await StrikeSandboxAsync(moment, session => Server.KillSandboxOf(session));

    private async Task StrikeSandboxAsync(Moment moment, Action<Guid> strike)
    {
        for (var i = 0; i < Repetitions.Count; i++)
        {
            var struck = await StruckTurn.BeginAsync(Server, moment);
            var before = Server.BridgeOf(struck.Session);

            strike(struck.Session);
            var turn = await struck.Sending;

            // Who kills everything one by one may hit the CLI first, and its bridge may live long enough to say so.
            Assert.Equal(("sandbox_lost", true), (turn.Reason, turn.Retryable));
            Assert.Contains(turn.Code, (string[])["killed", "cli_exited"]);
            Assert.Contains("sandbox.lost", await Server.FactsOfAsync(struck.Session));
            await struck.AssertConversationIsIntactAsync(Server);
            Assert.NotEqual(before.Sandbox, Server.BridgeOf(struck.Session).Sandbox);
            await Server.Client.Sessions.EndAsync(struck.Session);
        }
    }
}
