using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Ash.Server.Tests.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace Ash.Server.Tests.Telemetry;

/// <summary>Lines of JSON on the standard error (contract 13.3, 13.4).</summary>
public sealed class TelemetryLinesTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task Resume_IsSaid_WithItsPath()
    {
        await using var error = new Lines();
        await using var server = await InMemoryServer.StartAsync(replace: services => services.AddSingleton<TextWriter>(error));
        var session = await server.CreateSessionAsync();

        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hi");
        await server.Client.Sessions.PauseAsync(session.Id);
        await server.Client.Sessions.ResumeAsync(session.Id);
        await server.Client.Sessions.StopAsync(session.Id);
        await server.Client.Sessions.ResumeAsync(session.Id);

        // No times: nobody asked for them.
        Assert.Equal(
            $$"""{"type":"resume_hit","path":"warm","sessionId":"{{session.Id}}","agentName":"echo","ts":"2026-01-15T10:00:00.000Z"}""", await error.NextAsync());
        Assert.Equal(
            $$"""{"type":"resume_hit","path":"cold","source":"local","sessionId":"{{session.Id}}","agentName":"echo","ts":"2026-01-15T10:00:00.000Z"}""",
            await error.NextAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task Times_AreSaid_WhereTheyAreAskedFor()
    {
        await using var error = new Lines();
        await using var server = await InMemoryServer.StartAsync(
            settings => settings with { DebugTiming = true }, services => services.AddSingleton<TextWriter>(error));
        var session = await server.CreateSessionAsync();
        server.Host.Manner = CliManner.Waits;
        var turn = await server.BeginTurnAsync(session, "hi");
        server.Clock.Advance(TimeSpan.FromMilliseconds(12.345));
        await server.Client.Sessions.InterruptAsync(session.Id);
        await turn;

        var sandbox = JsonElement.Parse(await error.NextAsync());
        var server1 = JsonElement.Parse(await error.NextAsync());

        Assert.Equal(["type", "source", "sessionId", "sandboxId", "bridgeSpawnMs", "bridgeConnectMs", "totalMs", "timestamp"], Names(sandbox));
        Assert.Equal(["type", "source", "sessionId", "sandboxId", "lookupMs", "firstEventMs", "totalMs", "eventCount", "timestamp"], Names(server1));
        Assert.Equal(("sandbox", "server"), (sandbox.GetProperty("source").GetString(), server1.GetProperty("source").GetString()));
        Assert.Equal((0, 12.34, 1), (server1.GetProperty("lookupMs").GetDouble(), server1.GetProperty("totalMs").GetDouble(), server1.GetProperty("eventCount").GetInt32()));
        Assert.Equal(JsonValueKind.Null, server1.GetProperty("firstEventMs").ValueKind);
    }

    private static IEnumerable<string> Names(JsonElement line) => line.EnumerateObject().Select(static member => member.Name);

    private sealed class Lines : TextWriter
    {
        private readonly Channel<string> _written = Channel.CreateUnbounded<string>();

        public override Encoding Encoding => Encoding.UTF8;

        public ValueTask<string> NextAsync() => _written.Reader.ReadAsync(TestContext.Current.CancellationToken);

        public override Task WriteLineAsync(string? value)
        {
            _written.Writer.TryWrite(value ?? string.Empty);
            return Task.CompletedTask;
        }
    }
}
