using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Ash.Client;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Agents;

/// <summary>Deploys over HTTP.</summary>
public sealed class DeployTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task Deploys_AreReadTwoAtATime_HoweverManyCome()
    {
        await using var server = await InMemoryServer.StartAsync();
        using var handler = new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMilliseconds(Limit) };
        using var http = new HttpClient(handler) { BaseAddress = server.Http.BaseAddress };
        http.DefaultRequestHeaders.Authorization = server.Http.DefaultRequestHeaders.Authorization;
        http.DefaultRequestHeaders.ExpectContinue = true;
        var uploads = Enumerable.Range(0, 6).Select(number => new HeldUpload($"held-{number}")).ToList();
        var answers = uploads.Select(upload => http.PostAsync("/api/agents", upload)).ToList();

        for (var open = uploads; open.Count > 0; open = [.. open.Where(upload => !upload.IsComplete)])
        {
            while (open.Count(upload => upload.IsRead.IsCompleted) < Math.Min(2, open.Count))
            {
                await Task.WhenAny(open.Select(upload => upload.IsRead).Where(read => !read.IsCompleted));
            }

            for (var call = 0; call < 5; call++)
            {
                await server.Client.Agents.ListAsync();
            }

            var read = open.Where(upload => upload.IsRead.IsCompleted).ToList();
            Assert.InRange(read.Count, 1, 2);
            read.ForEach(upload => upload.Complete());
        }

        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal(HttpStatusCode.Created, answer.StatusCode));
    }

    [Fact(Timeout = Limit)]
    public async Task Path_IsReadBelowTheRootsAlone()
    {
        var top = Directory.CreateTempSubdirectory("ash-roots-").FullName;
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(top, "in")).FullName, "CLAUDE.md"), "Hi.");
        await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(Path.Combine(top, "out")).FullName, "CLAUDE.md"), "Hi.");
        await using var server = await InMemoryServer.StartAsync(settings => settings with { DeployRoots = [Path.Combine(top, "in")] });

        Assert.Equal(1, (await server.Client.Agents.DeployPathAsync("in", Path.Combine(top, "in"))).Version);
        var refusal = await Assert.ThrowsAsync<AshApiException>(() => server.Client.Agents.DeployPathAsync("out", Path.Combine(top, "out")));
        Assert.Equal((HttpStatusCode.BadRequest, "path_not_allowed"), (refusal.StatusCode, refusal.Code));
        Directory.Delete(top, recursive: true);
    }

    /// <summary>A deploy whose body is not sent before the server asks for it, and then waits for the test.</summary>
    private sealed class HeldUpload : HttpContent
    {
        private readonly TaskCompletionSource _read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly byte[] _body;

        public HeldUpload(string name)
        {
            _body = Encoding.UTF8.GetBytes($$"""{"name":"{{name}}","systemPrompt":"Hi."}""");
            Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        /// <summary>Completes once the server begins to read.</summary>
        public Task IsRead => _read.Task;

        public bool IsComplete => _held.Task.IsCompleted;

        public void Complete() => _held.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            _read.TrySetResult();
            await _held.Task;
            await stream.WriteAsync(_body);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _body.Length;
            return true;
        }
    }
}
