using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Streams;

/// <summary>A stream that is cut anywhere and resumed gives the same bytes as one that never was.</summary>
public sealed class CutTests
{
    private static readonly string[] Filters = ["", "&partial=false", "&lifecycle=false", "&partial=false&lifecycle=false"];

    [Fact(Timeout = 240_000)]
    public async Task StreamCutAnywhere_AndResumed_GivesTheSameBytes_AcrossARestartToo()
    {
        var repetitions = Environment.GetEnvironmentVariable("ASH_TEST_LONG") == "1" ? 5 : 1;
        for (var repetition = 0; repetition < repetitions; repetition++)
        {
            var seed = int.TryParse(Environment.GetEnvironmentVariable("ASH_TEST_SEED"), CultureInfo.InvariantCulture, out var given)
                ? given
                : Random.Shared.Next();
            try
            {
                await using var server = await AshServer.StartAsync();
                await new Run(server, new Random(seed)).RunAsync();
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"To repeat: ASH_TEST_SEED={seed}. {failure.Message}", failure);
            }
        }
    }

    private sealed class Run(AshServer server, Random random)
    {
        private const int HistoryCuts = 80, HistoryCutsAcrossRestart = 60, LiveViewers = 80, PostViewers = 20;
        private readonly Dictionary<string, byte[]> _uncut = [];
        private Guid _session;

        private string Stream => $"/api/sessions/{_session}/stream?until=idle";

        public async Task RunAsync()
        {
            _session = (await server.CreateSessionAsync()).Id;
            await MakeHistoryAsync();
            var cuts = await CutHistoryAsync(HistoryCuts, static () => Task.CompletedTask);
            var (live, acrossLive) = await CutLiveTurnAsync();
            _uncut.Clear();
            var across = await CutHistoryAsync(HistoryCutsAcrossRestart, RestartAsync);

            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{cuts + live + acrossLive + across} cuts, {acrossLive + across} of them across a restart; a stream has {_uncut[Stream].Length} bytes");
            Assert.InRange(cuts + live + acrossLive + across, 200, int.MaxValue);
            Assert.InRange(acrossLive + across, 100, int.MaxValue);
        }

        /// <summary>A turn with tools and deltas, one that fails, and one with a row too long for the tail.</summary>
        private async Task MakeHistoryAsync()
        {
            await PlayAsync("""
                [{"thinking":"let me see","text":"Grüße 🌍 \n\n data: x\r\n","chunk":3,
                  "tool":[{"name":"Bash","input":{"command":"seq 1 500","description":"d"}},
                          {"name":"Bash","input":{"command":"echo err >&2; exit 3","description":"d"}}]},
                 {"text":"and that is all","chunk":2}]
                """, "completed");
            await PlayAsync("""[{"error":{"status":403,"message":"no"},"times":20}]""", "model_error");
            server.Model.Queue(JsonSerializer.Serialize(new { text = new string('x', 300_000) }));
            Assert.Equal("completed", (await server.SendAsync(_session, "a long one")).Reason);
        }

        /// <summary>Cuts streams of what has happened, between frames and inside them; each comes back after <paramref name="meanwhile"/>.</summary>
        private async Task<int> CutHistoryAsync(int viewers, Func<Task> meanwhile)
        {
            foreach (var turn in (await ReadAsync(Stream)).Where(frame => frame.Name == "done").Select(frame => frame.Json.GetProperty("turnId")))
            {
                await ReadAsync($"{Stream}&turn={turn}");
            }

            foreach (var filter in Filters)
            {
                await ReadAsync(Stream + filter);
            }

            var paths = _uncut.Keys.ToArray();
            var cut = new List<Viewer>();
            for (var i = 0; i < viewers; i++)
            {
                var path = paths[random.Next(paths.Length)];
                var viewer = new Viewer(server, path, "0");
                Assert.Equal(ViewerEnd.Cut, await viewer.ReadAsync(AnyPlaceIn(_uncut[path])));
                cut.Add(viewer);
            }

            await meanwhile();
            await Parallel.ForEachAsync(cut, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (viewer, _) =>
            {
                Assert.Equal(ViewerEnd.Whole, await viewer.ReadAsync());
            });
            cut.ForEach(viewer => AssertSame(viewer, "0"));
            return cut.Sum(viewer => viewer.Cuts);
        }

        /// <summary>Cuts streams of a turn that runs, half of them for as long as the server is away; it is killed in mid-turn.</summary>
        private async Task<(int Here, int AcrossRestart)> CutLiveTurnAsync()
        {
            var head = Frames.LastId(await RawAsync(Stream + "&partial=false"))!;
            var message = JsonSerializer.Serialize(new
            {
                content = $$"""
                    @@fake [{"text":"{{new string('a', 4_000)}}","chunk":40,"gate":"first","gateAfterChunks":20,
                             "tool":{"name":"Bash","input":{"command":"echo tool","description":"d"} } },
                            {"text":"{{new string('b', 4_000)}}","chunk":40,"gate":"second","gateAfterChunks":60}]
                    """,
                includePartialMessages = true,
            });

            // All hold the same key: one turn, which all of them see.
            var posts = await Task.WhenAll(Enumerable.Range(0, PostViewers).Select(_ =>
                RawStream.OpenAsync(server, $"/api/sessions/{_session}/messages", post: message, idempotencyKey: "live")));
            var turn = Assert.Single(posts.Select(post => post.Headers["X-Ash-Turn-Id"]).Distinct());
            var ofTurn = $"/api/sessions/{_session}/stream?turn={turn}&lifecycle=false";
            var viewers = new List<Viewer>();
            var reading = new List<Task>();
            foreach (var post in posts)
            {
                viewers.Add(new Viewer(server, ofTurn, "0"));
                reading.Add(ReadLiveAsync(viewers[^1], post, random.Next(1, 100_000), comesBackAtOnce: false));
            }

            for (var i = 0; i < LiveViewers; i++)
            {
                var path = Stream + Filters[i % Filters.Length];
                var stream = await RawStream.OpenAsync(server, $"{path}&after={head}");
                viewers.Add(new Viewer(server, path, head));
                reading.Add(ReadLiveAsync(viewers[^1], stream, random.Next(1, path.Contains("partial", StringComparison.Ordinal) ? 8_000 : 100_000), comesBackAtOnce: i % 8 != 0));
            }

            await server.Model.WaitUntilHeldAsync("first", TestContext.Current.CancellationToken);
            server.Model.Release("first");
            await server.Model.WaitUntilHeldAsync("second", TestContext.Current.CancellationToken);
            await server.KillAsync();
            await Task.WhenAll(reading);
            await server.StartAgainAsync();

            var rest = viewers.Select(viewer => viewer.ReadAsync()).ToList();
            await server.Model.WaitUntilHeldAsync("second", TestContext.Current.CancellationToken);
            server.Model.Release("second");
            Assert.All(await Task.WhenAll(rest), end => Assert.Equal(ViewerEnd.Whole, end));

            foreach (var filter in Filters)
            {
                await ReadAsync(Stream + filter, head);
            }

            await ReadAsync(ofTurn);
            viewers.ForEach(viewer => AssertSame(viewer, viewers.IndexOf(viewer) < PostViewers ? "0" : head));
            Assert.Contains("done", Frames.Names(_uncut[ofTurn]));
            // Whoever was not cut before the server went was cut by that: for each, one cut spans the restart.
            return (viewers.Sum(viewer => viewer.Cuts) - viewers.Count, viewers.Count);
        }

        private static async Task ReadLiveAsync(Viewer viewer, RawStream stream, int bytes, bool comesBackAtOnce)
        {
            ViewerEnd end;
            using (stream)
            {
                end = await viewer.ReadAsync(stream, bytes);
            }

            if (end == ViewerEnd.Cut && comesBackAtOnce)
            {
                try
                {
                    await viewer.ReadAsync();
                }
                catch (Exception failure) when (failure is IOException or SocketException)
                {
                    // It met the server's death at the door: its cut spans the restart.
                }
            }
        }

        private async Task RestartAsync()
        {
            await server.KillAsync();
            await server.StartAgainAsync();
        }

        private async Task PlayAsync(string steps, string reason) =>
            Assert.Equal(reason, (await server.PlayAsync(_session, steps)).Reason);

        /// <summary>Half of all places are uniform over the bytes; a quarter each lies between frames, and inside one of any length.</summary>
        private int AnyPlaceIn(byte[] bytes)
        {
            var frames = Frames.Parse(bytes);
            var frame = frames[random.Next(frames.Count - 1)];
            return random.Next(4) switch
            {
                0 => frame.End,
                1 => random.Next(frame.Start + 1, frame.End),
                _ => random.Next(1, bytes.Length),
            };
        }

        private async Task<List<Frame>> ReadAsync(string path, string after = "0") =>
            Frames.Parse(_uncut[path] = await RawAsync($"{path}&after={after}"));

        private async Task<byte[]> RawAsync(string path)
        {
            using var stream = await RawStream.OpenAsync(server, path);
            var bytes = await stream.ReadAsync();
            Assert.True(stream.IsWhole, path);
            return Frames.Kept(bytes);
        }

        private void AssertSame(Viewer viewer, string after)
        {
            var expected = _uncut[viewer.Path];
            Assert.True(expected.AsSpan().SequenceEqual(viewer.Kept), $"after {after}: {viewer.Story}: {Frames.Difference(expected, viewer.Kept)}");
        }
    }
}
