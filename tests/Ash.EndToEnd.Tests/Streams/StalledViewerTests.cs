using System.Text.Json;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Streams;

/// <summary>A viewer that stops reading costs nobody anything, and misses nothing.</summary>
public sealed class StalledViewerTests
{
    private const int StreamBytes = 50_000_000;
    private const int AllowedKb = 32 * 1024;
    private const int Replies = 15;

    [Fact(Timeout = 240_000)]
    public async Task TurnOfFiftyMegabytes_Completes_WhileAViewerDoesNotRead_AndThatViewerReadsAllOfItLater()
    {
        await using var server = await AshServer.StartAsync();

        // The same once before, without that viewer: what a server keeps for such a turn it has then.
        await PlayLongTurnAsync(server, (await server.CreateSessionAsync()).Id);
        var session = (await server.CreateSessionAsync()).Id;
        var path = $"/api/sessions/{session}/stream";

        var before = ProcessMemory.KbOf(server.Pid, "VmRSS");
        using var stalled = await RawStream.OpenAsync(server, path, receiveBuffer: 4096);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await PlayLongTurnAsync(server, session);
        var took = clock.Elapsed;
        var growth = ProcessMemory.KbOf(server.Pid, "VmRSS") - before;

        var expected = await ReadAllAsync(server, $"{path}?until=idle");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{expected.Length:N0} bytes in {took.TotalSeconds:N1} s; the server grew by {growth:N0} KB from {before:N0} KB");
        Assert.InRange(expected.Length, StreamBytes, int.MaxValue);
        Assert.Equal(expected, Frames.Kept(await stalled.ReadAsync(expected.Length)));
        Assert.InRange(growth, long.MinValue, AllowedKb);
    }

    /// <summary>Many deltas, in several model replies with a tool between them.</summary>
    private static async Task PlayLongTurnAsync(AshServer server, Guid session)
    {
        for (var i = 0; i < Replies; i++)
        {
            server.Model.Queue(JsonSerializer.Serialize(new
            {
                text = new string('x', 400_000),
                chunk = 64,
                usage = new { input_tokens = 10, output_tokens = 10 }, // Or the CLI would compact the conversation.
                tool = new { name = "Bash", input = new { command = "true", description = "d" } },
            }));
        }

        server.Model.Queue("""{"text":"done"}""");
        Assert.Equal("completed", (await server.SendAsync(session, "talk a lot")).Reason);
    }

    private static async Task<byte[]> ReadAllAsync(AshServer server, string path)
    {
        using var stream = await RawStream.OpenAsync(server, path);
        var bytes = await stream.ReadAsync();
        Assert.True(stream.IsWhole);
        return Frames.Kept(bytes);
    }
}
