using Ash.EndToEnd.Tests.Fences;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Credentials;

/// <summary>A session's own model key: the broker sends it, and nothing else has it.</summary>
public sealed class CredentialTests(CredentialTests.Fixture fixture) : IClassFixture<CredentialTests.Fixture>
{
    private const int TimeLimit = 120_000;

    private AshServer Server => fixture.Server;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = TimeLimit)]
    public async Task SessionsKey_IsSentToTheModel_AndIsNowhereInside()
    {
        // The model demands this key; the server itself has a wrong one.
        var credential = await LeaveAsync("anthropic", Server.ModelKey);
        var session = await Server.CreateSessionAsync(request: new CreateSessionRequest { Agent = "", CredentialId = $"{credential.Id}" });
        var marker = "marker-" + Guid.NewGuid().ToString("N");

        await Server.BashAsync(session.Id, $"printf %s {marker} > /workspace/marker.txt; env > /workspace/env.txt; echo done");
        var inside = Inside.Lines(await Server.PythonAsync(session.Id, SecretTests.Search.Replace(
            "WORDS", SecretTests.Halves(("key", Server.ModelKey), ("marker", marker)), StringComparison.Ordinal)));

        var calls = Server.Model.Requests.Where(request => request.SessionId == session.Id.ToString()).ToList();
        Assert.NotEmpty(calls);
        Assert.All(calls, call => Assert.Equal((Server.ModelKey, 200), (call.Headers["x-api-key"], call.Outcome?.Status)));
        Assert.Equal("files True", inside[0]);
        Assert.Contains("marker /workspace/marker.txt", inside);
        Assert.DoesNotContain(inside, line => line.StartsWith("key ", StringComparison.Ordinal));
        Assert.DoesNotContain(Server.ModelKey, Server.Output, StringComparison.Ordinal);
        Assert.Equal(["marker"], SecretTests.WordsIn(Server.DataDirectory, ("key", Server.ModelKey), ("marker", marker)));
        Assert.NotNull((await Server.Client.Credentials.ListAsync(Cancelled)).Single(one => one.Id == credential.Id).LastUsedAt);
    }

    [Fact(Timeout = TimeLimit)]
    public async Task SessionWithoutOne_IsServedWithTheServersKey()
    {
        await LeaveAsync("anthropic", Server.ModelKey);
        var session = await Server.CreateSessionAsync();

        var turn = await Server.SendAsync(session.Id, "hello");

        Assert.Equal(("model_error", "authentication_failed"), (turn.Reason, turn.Code));
        Assert.All(
            Server.Model.Requests.Where(request => request.SessionId == session.Id.ToString()),
            call => Assert.Equal(Fixture.ServersKey, call.Headers["x-api-key"]));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task DeletedCredential_EndsTheNextTurn_WithoutACallOfTheModel()
    {
        var credential = await LeaveAsync("anthropic", Server.ModelKey);
        var session = await Server.CreateSessionAsync(request: new CreateSessionRequest { Agent = "", CredentialId = $"{credential.Id}" });
        var first = await Server.SendAsync(session.Id, "one");
        await Server.Client.Credentials.DeleteAsync(credential.Id, Cancelled);
        var before = CallsOf(session.Id);

        var second = await Server.SendAsync(session.Id, "two");

        Assert.Equal("completed", first.Reason);
        Assert.Equal(("model_error", "credential_unavailable", false), (second.Reason, second.Code, second.Retryable));
        Assert.Contains("create a session with another credential", second.Result, StringComparison.Ordinal);
        Assert.Equal(before, CallsOf(session.Id));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task OtherSecret_IsInTheSandbox_WhereTheRequestSaysSo()
    {
        var credential = await LeaveAsync("custom", "custom-canary-4711");

        var session = await Server.CreateSessionAsync(
            request: new CreateSessionRequest { Agent = "", CredentialId = $"{credential.Id}", ExposeCredential = true });

        Assert.Equal("custom-canary-4711", await Server.ShellAsync(session.Id, "printf %s \"$ASH_CUSTOM_API_KEY\""));
        Assert.DoesNotContain("custom-canary-4711", Server.Output, StringComparison.Ordinal);
        Assert.Empty(SecretTests.WordsIn(Server.DataDirectory, ("secret", "custom-canary-4711")));
    }

    private Task<CredentialInfo> LeaveAsync(string type, string secret) =>
        Server.Client.Credentials.CreateAsync(new CreateCredentialRequest { Type = type, Key = secret }, Cancelled);

    private int CallsOf(Guid session) => Server.Model.Requests.Count(request => request.SessionId == session.ToString());

    public sealed class Fixture : IAsyncLifetime
    {
        public const string ServersKey = "wrong-key-of-the-server";

        public AshServer Server { get; private set; } = null!; // Set before the first test.

        public async ValueTask InitializeAsync() => Server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ANTHROPIC_API_KEY"] = ServersKey },
        });

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
