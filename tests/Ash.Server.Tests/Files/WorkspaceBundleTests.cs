using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Runner.Bundles;
using Ash.Server.Tests.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace Ash.Server.Tests.Files;

/// <summary>Whole workspaces over HTTP (contract 3.5). What is in bundles, and what may not be, is tested with the runner.</summary>
public sealed class WorkspaceBundleTests
{
    private const int Limit = 60_000;

    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Workspace_IsTakenAway_AndLaidOverAnother(bool asJson)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await FilesTests.WriteAsync(server, session, ("a/b.txt", "one"), ("yarn.lock", "two"), (".env", "SECRET=1"), ("node_modules/x/index.js", "three"));
        File.CreateSymbolicLink(Path.Combine(await FilesTests.WorkOfAsync(server, session), "link"), "a/b.txt");

        using var download = await server.Http.GetAsync(Url(session));
        var bundle = await download.Content.ReadAsByteArrayAsync();
        Assert.Equal("application/gzip", download.Content.Headers.ContentType!.ToString());
        Assert.Equal($"attachment; filename=\"{session.Id}.tar.gz\"", download.Content.Headers.ContentDisposition!.ToString());
        Assert.Equal(["sandbox"], download.Headers.GetValues("X-Ash-Source"));

        var other = await server.CreateSessionAsync();
        await FilesTests.WriteAsync(server, other, ("kept", "kept"));
        var result = await UploadOkAsync(server, other, bundle, asJson);
        Assert.Equal("Workspace restored to live sandbox", result.Message);
        Assert.Equal(4, result.Written);
        Assert.Equal((1, "CLAUDE.md"), (result.Skipped, Assert.Single(result.SkippedEntries).Path));

        var work = await FilesTests.WorkOfAsync(server, other);
        Assert.Equal(["a", "kept", "link", "node_modules", "yarn.lock"], Directory.EnumerateFileSystemEntries(work).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("a/b.txt", new FileInfo(Path.Combine(work, "link")).LinkTarget);
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(work, "a", "b.txt")));
    }

    [Fact(Timeout = Limit)]
    public async Task WorkspaceOfASessionWithoutASandbox_IsSavedToo_AndThatOfAnEndedOneIsOnlyTakenAway()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.StopAsync(session.Id);

        Assert.Equal("Workspace saved as snapshot", (await UploadOkAsync(server, session, Bundle(("a", "x")), asJson: true)).Message);

        await server.Client.Sessions.EndAsync(session.Id);
        Assert.Equal(["CLAUDE.md", "a"], Names(await server.Http.GetByteArrayAsync(Url(session))));
        Assert.Equal("Session is ended", await FilesTests.RefusalAsync(UploadAsync(server, session, Bundle(("b", "x")), asJson: true), HttpStatusCode.BadRequest));
        Assert.Equal("Session is ended", await FilesTests.RefusalAsync(UploadAsync(server, session, Bundle(("b", "x")), asJson: false), HttpStatusCode.BadRequest));
    }

    [Fact(Timeout = Limit)]
    public async Task SessionThatEndsWhileItsBundleArrives_GetsNothingOfIt()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var bundle = Bundle(("late", "x"));
        var hold = new TaskCompletionSource();
        using var content = new HeldContent(bundle, hold.Task);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/gzip");
        var upload = server.Http.PostAsync(Url(session), content);
        await content.Begun;

        await server.Client.Sessions.EndAsync(session.Id);
        hold.SetResult();

        Assert.Equal("Session is ended", await FilesTests.RefusalAsync(upload, HttpStatusCode.BadRequest));
        Assert.Equal(["CLAUDE.md"], Names(await server.Http.GetByteArrayAsync(Url(session))));
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"bundle":""}""", "Empty bundle")]
    [InlineData("""{"bundle":"UEsDBAo="}""", "Invalid bundle: not a gzip file")]
    [InlineData("""{"bundle":"H4sIAAAAAAAAA2NgYGAAAA=="}""", null)]
    [InlineData("""{"bundle":"?"}""", "body/bundle is not base64")]
    [InlineData("{}", "body must have required property 'bundle'")]
    [InlineData("""{"bundle":3}""", "body/bundle must be string")]
    [InlineData("""{"tar":""}""", "tar is not a field of this request; it may have bundle")]
    public async Task BundleThatIsNone_IsRefused(string body, string? message)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();

        var refusal = await FilesTests.RefusalAsync(
            server.Http.PostAsync(Url(session), new StringContent(body, Encoding.UTF8, "application/json")), HttpStatusCode.BadRequest);

        Assert.Equal(message ?? refusal, refusal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(server.Folder, "tmp")));
    }

    [Fact(Timeout = Limit)]
    public async Task BundleBehindWhichTheBodyIsWrong_IsNotLaidOverAnything()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var body = $$"""{"bundle":"{{Convert.ToBase64String(Bundle(("a", "x")))}}","more":1}""";

        await FilesTests.RefusalAsync(server.Http.PostAsync(Url(session), new StringContent(body, Encoding.UTF8, "application/json")), HttpStatusCode.BadRequest);

        Assert.Equal(["CLAUDE.md"], Names(await server.Http.GetByteArrayAsync(Url(session))));
    }

    [Fact(Timeout = Limit)]
    public async Task WorkspaceAndBundleThatAreTooLarge_AreRefused()
    {
        await using var server = await InMemoryServer.StartAsync(replace: services => services.AddSingleton(new BundleLimits(100_000, 20)));
        var session = await server.CreateSessionAsync();
        const string TooLarge = "Bundle exceeds maximum size of 100000 bytes";

        Assert.Equal(TooLarge, await FilesTests.RefusalAsync(UploadAsync(server, session, Bundle(("a", new string('x', 200_000))), asJson: false), HttpStatusCode.RequestEntityTooLarge));
        Assert.Equal(TooLarge, await FilesTests.RefusalAsync(UploadAsync(server, session, Bundle(("a", new string('x', 200_000))), asJson: true), HttpStatusCode.RequestEntityTooLarge));
        Assert.Equal(["CLAUDE.md"], Names(await server.Http.GetByteArrayAsync(Url(session))));

        await FilesTests.WriteAsync(server, session, ("large", new string('x', 200_000)));
        Assert.Equal(TooLarge, await FilesTests.RefusalAsync(server.Http.GetAsync(Url(session)), HttpStatusCode.RequestEntityTooLarge));
    }

    [Fact(Timeout = Limit)]
    public async Task DownloadThatNobodyReads_KeepsNothingElseWaiting()
    {
        const int size = 30_000_000;
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        using (var written = await server.Http.PostAsync(
            $"/api/sessions/{session.Id}/files",
            new StringContent($$"""{"files":[{"path":"large","content":"{{Convert.ToBase64String(RandomNumberGenerator.GetBytes(size))}}"}]}""", Encoding.UTF8, "application/json")))
        {
            Assert.Equal(HttpStatusCode.OK, written.StatusCode);
        }

        using var download = await server.Http.GetAsync(Url(session), HttpCompletionOption.ResponseHeadersRead);
        var turn = await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
        var other = await server.CreateSessionAsync();
        await server.Client.Sessions.ListAsync();

        Assert.Equal(("completed", "active"), (turn.Reason, other.Status));
        Assert.InRange((await download.Content.ReadAsByteArrayAsync()).Length, size, 2 * size);
    }

    private static string Url(SessionInfo session) => $"/api/sessions/{session.Id}/workspace";

    private static Task<HttpResponseMessage> UploadAsync(InMemoryServer server, SessionInfo session, byte[] bundle, bool asJson)
    {
        HttpContent content = asJson
            ? new StringContent(
                JsonSerializer.Serialize(new RestoreWorkspaceRequest(Convert.ToBase64String(bundle)), ApiJson.Default.RestoreWorkspaceRequest),
                Encoding.UTF8,
                "application/json")
            : new ByteArrayContent(bundle) { Headers = { ContentType = new MediaTypeHeaderValue("application/gzip") } };
        return server.Http.PostAsync(Url(session), content);
    }

    private static async Task<RestoreWorkspaceResult> UploadOkAsync(InMemoryServer server, SessionInfo session, byte[] bundle, bool asJson)
    {
        using var response = await UploadAsync(server, session, bundle, asJson);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, body);
        return JsonSerializer.Deserialize(body, ApiJson.Default.RestoreWorkspaceResult)!;
    }

    private static byte[] Bundle(params (string Path, string Text)[] files)
    {
        using var bundle = new MemoryStream();
        using (var gzip = new GZipStream(bundle, CompressionLevel.Fastest))
        using (var archive = new TarWriter(gzip))
        {
            foreach (var (path, text) in files)
            {
                archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
            }
        }

        return bundle.ToArray();
    }

    private static string[] Names(byte[] bundle)
    {
        List<string> names = [];
        using var gzip = new GZipStream(new MemoryStream(bundle), CompressionMode.Decompress);
        using var archive = new TarReader(gzip);
        while (archive.GetNextEntry() is { } entry)
        {
            names.Add(entry.Name);
        }

        return [.. names.Order(StringComparer.Ordinal)];
    }

    /// <summary>Sends its first half, and the other when it may.</summary>
    private sealed class HeldContent(byte[] bytes, Task mayGoOn) : HttpContent
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(bytes.AsMemory(0, bytes.Length / 2));
            await stream.FlushAsync();
            _begun.TrySetResult();
            await mayGoOn;
            await stream.WriteAsync(bytes.AsMemory(bytes.Length / 2));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return true;
        }
    }
}
