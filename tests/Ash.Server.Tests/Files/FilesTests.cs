using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Storage;
using Ash.Server.Tests.InMemory;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Files;

/// <summary>The files of a session over HTTP (contract 3.5).</summary>
public sealed class FilesTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task FilesThatAreWritten_AreListedReadAndDeleted()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();

        var written = await WriteAsync(server, session, ("src/a.txt", "héllo"), ("b.md", "# b"));
        Assert.Equal(
            """{"files":[{"path":"src/a.txt","written":true,"size":6},{"path":"b.md","written":true,"size":3}]}""", written);

        var listing = await server.Http.GetStringAsync(Url(session));
        using var listed = JsonDocument.Parse(listing);
        Assert.Equal("sandbox", listed.RootElement.GetProperty("source").GetString());
        Assert.False(listed.RootElement.TryGetProperty("truncated", out _));
        Assert.Equal(["CLAUDE.md", "b.md", "src/a.txt"], Paths(listed));
        var entry = listed.RootElement.GetProperty("files").EnumerateArray().Single(file => file.GetProperty("path").GetString() == "src/a.txt");
        Assert.Equal(["path", "size", "modifiedAt"], entry.EnumerateObject().Select(field => field.Name));
        Assert.Equal(6, entry.GetProperty("size").GetInt64());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", entry.GetProperty("modifiedAt").GetString());

        var raw = await server.Http.GetAsync(Url(session, "src/a.txt"));
        Assert.Equal("héllo", await raw.Content.ReadAsStringAsync());
        Assert.Equal("text/plain", raw.Content.Headers.ContentType!.ToString());
        Assert.Equal("attachment; filename*=UTF-8''a.txt", raw.Content.Headers.ContentDisposition!.ToString());
        Assert.Equal(6, raw.Content.Headers.ContentLength);
        Assert.Equal(["sandbox"], raw.Headers.GetValues("X-Ash-Source"));
        Assert.Equal(["nosniff"], raw.Headers.GetValues("X-Content-Type-Options"));
        Assert.Equal(
            """{"path":"src/a.txt","content":"h\u00E9llo","size":6,"source":"sandbox"}""",
            await server.Http.GetStringAsync(Url(session, "src/a.txt?format=json")));

        var deleted = await server.Http.DeleteAsync(Url(session, "src/a.txt"));
        Assert.Equal("""{"path":"src/a.txt","deleted":true}""", await deleted.Content.ReadAsStringAsync());
        Assert.Equal("File not found", await RefusalAsync(server.Http.GetAsync(Url(session, "src/a.txt")), HttpStatusCode.NotFound));
    }

    [Fact(Timeout = Limit)]
    public async Task FilesOfASessionWithoutASandbox_AreTheSame_AndThoseOfAnEndedOneAreReadOnly()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { EndedRetention = TimeSpan.FromHours(1) });
        var session = await server.CreateSessionAsync();
        await WriteAsync(server, session, ("kept.txt", "kept"));

        await server.Client.Sessions.StopAsync(session.Id);
        Assert.Equal("snapshot", await SourceAsync(server, session));
        await WriteAsync(server, session, ("later.txt", "later"));
        Assert.Equal("later", await server.Http.GetStringAsync(Url(session, "later.txt")));

        await server.Client.Sessions.EndAsync(session.Id);
        Assert.Equal("kept", await server.Http.GetStringAsync(Url(session, "kept.txt")));
        Assert.Equal("Session is ended", await RefusalAsync(PostAsync(server, session, Body(("x", "x"))), HttpStatusCode.BadRequest));
        Assert.Equal("Session is ended", await RefusalAsync(server.Http.DeleteAsync(Url(session, "kept.txt")), HttpStatusCode.BadRequest));

        server.Clock.Advance(TimeSpan.FromHours(2));
        await server.SweepEndedSessionsAsync();
        const string Gone = "No workspace available for this session";
        Assert.Equal(Gone, await RefusalAsync(server.Http.GetAsync(Url(session)), HttpStatusCode.NotFound));
        Assert.Equal(Gone, await RefusalAsync(server.Http.GetAsync(Url(session, "kept.txt")), HttpStatusCode.NotFound));
    }

    [Fact(Timeout = Limit)]
    public async Task SessionOfAnotherTenant_IsAsUnknownAsNone_OnEveryRoute()
    {
        await using var server = await InMemoryServer.StartAsync();
        var theirs = await AddSessionOfAnotherTenantAsync(server);
        var routes = new (string Method, string Path)[]
        {
            ("GET", "files"), ("GET", "files/CLAUDE.md"), ("POST", "files"), ("DELETE", "files/a"),
            ("GET", "workspace"), ("POST", "workspace"), ("GET", "attachments"), ("POST", "attachments"),
        };

        foreach (var (method, path) in routes)
        {
            foreach (var id in new[] { theirs, Guid.NewGuid() })
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), $"/api/sessions/{id}/{path}");
                request.Content = method == "POST" ? new StringContent("{}", Encoding.UTF8, "application/json") : null;
                Assert.Equal("Session not found", await RefusalAsync(server.Http.SendAsync(request), HttpStatusCode.NotFound));
            }

            using var wrong = new HttpRequestMessage(new HttpMethod(method), $"/api/sessions/none/{path}");
            Assert.Equal("params/id must match format \"uuid\"", await RefusalAsync(server.Http.SendAsync(wrong), HttpStatusCode.BadRequest));
        }
    }

    [Theory(Timeout = Limit)]
    [InlineData("files/", 400, "path_required", "File path required")]
    [InlineData("files/%2e%2e%2fx", 400, "path_not_allowed", "Invalid file path")]
    [InlineData("files/a/%2e%2e%2f%2e%2e%2fx", 400, "path_not_allowed", "Invalid file path")]
    [InlineData("files/%2fetc%2fpasswd", 400, "path_not_allowed", "Invalid file path")]
    [InlineData("files/missing", 404, "file_not_found", "File not found")]
    [InlineData("files/folder", 400, "not_a_file", "Path is not a file")]
    [InlineData("files/link", 400, "not_a_file", "Path is not a file")]
    [InlineData("files/link-to-folder/file", 400, "not_a_file", "Path is not a file")]
    [InlineData("files/large?format=json", 400, "file_too_large", "File too large (1048577 bytes, max 1048576)")]
    [InlineData("files/huge", 400, "file_too_large", "File too large (104857601 bytes, max 104857600)")]
    [InlineData("files/large?format=xml", 400, "invalid_request", "querystring/format must be raw or json")]
    [InlineData("files?includeHidden=1", 400, "invalid_request", "querystring/includeHidden must be true or false")]
    public async Task ReadThatCannotBe_IsRefused(string path, int status, string code, string message)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var work = await WorkOfAsync(server, session);
        Directory.CreateDirectory(Path.Combine(work, "folder"));
        await File.WriteAllTextAsync(Path.Combine(work, "folder", "file"), "x");
        File.CreateSymbolicLink(Path.Combine(work, "link"), "folder/file");
        File.CreateSymbolicLink(Path.Combine(work, "link-to-folder"), "folder");
        await MakeSparseAsync(Path.Combine(work, "large"), 1_048_577);
        await MakeSparseAsync(Path.Combine(work, "huge"), 104_857_601);

        using var response = await server.Http.GetAsync(new Uri($"{server.Http.BaseAddress}api/sessions/{session.Id}/{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));

        var error = JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), ApiJson.Default.ApiError)!;
        Assert.Equal((status, code, message), ((int)response.StatusCode, error.Code, error.Error));
    }

    [Theory(Timeout = Limit)]
    [InlineData("bytes=0-3", 206, "bytes 0-3/10", "0123")]
    [InlineData("bytes=7-", 206, "bytes 7-9/10", "789")]
    [InlineData("bytes=-2", 206, "bytes 8-9/10", "89")]
    [InlineData("bytes=-20", 206, "bytes 0-9/10", "0123456789")]
    [InlineData("bytes=8-100", 206, "bytes 8-9/10", "89")]
    [InlineData("bytes=10-", 416, "bytes */10", null)]
    [InlineData("bytes=-0", 416, "bytes */10", null)]
    [InlineData("bytes=0-1,3-4", 200, null, "0123456789")]
    [InlineData("lines=0-1", 200, null, "0123456789")]
    public async Task Range_GivesAPartOfTheFile(string range, int status, string? contentRange, string? text)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await WriteAsync(server, session, ("digits", "0123456789"));
        using var request = new HttpRequestMessage(HttpMethod.Get, Url(session, "digits"));
        request.Headers.TryAddWithoutValidation("Range", range);

        using var response = await server.Http.SendAsync(request);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(contentRange, response.Content.Headers.ContentRange?.ToString());
        if (text is not null)
        {
            Assert.Equal(text, await response.Content.ReadAsStringAsync());
            Assert.Equal(["bytes"], response.Headers.AcceptRanges);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task FileThatIsTooLargeForOneAnswer_IsReadInRanges()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await MakeSparseAsync(Path.Combine(await WorkOfAsync(server, session), "huge"), 1L << 32);
        using var request = new HttpRequestMessage(HttpMethod.Get, Url(session, "huge"));
        request.Headers.Range = new RangeHeaderValue((1L << 32) - 5, null);

        using var response = await server.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal(5, (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact(Timeout = Limit)]
    public async Task Head_IsAnsweredWithoutTheBytes()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await WriteAsync(server, session, ("a.json", "{}"));

        using var response = await server.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, Url(session, "a.json")));

        Assert.Equal((HttpStatusCode.OK, 2L, "application/json"), (response.StatusCode, response.Content.Headers.ContentLength!.Value, response.Content.Headers.ContentType!.ToString()));
    }

    [Theory(Timeout = Limit)]
    [InlineData("a..b.txt")]
    [InlineData("with space & ünïcode ☂.txt")]
    [InlineData("100%.txt")]
    [InlineData("literal%2Fslash.txt")]
    [InlineData("back\\slash")]
    [InlineData("q?uery#hash")]
    [InlineData("deep/er/..hidden")]
    public async Task AnyNameThatAFileMayHave_CanBeNamed(string name)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();

        await WriteAsync(server, session, (name, "text"));

        Assert.True(File.Exists(Path.Combine(await WorkOfAsync(server, session), name)));
        var bySegments = string.Join('/', name.Split('/').Select(Uri.EscapeDataString));
        Assert.Equal("text", await server.Http.GetStringAsync(Url(session, bySegments)));
        Assert.Equal("text", await server.Http.GetStringAsync(Url(session, Uri.EscapeDataString(name))));
        Assert.Equal(HttpStatusCode.OK, (await server.Http.DeleteAsync(Url(session, bySegments))).StatusCode);
    }

    [Fact(Timeout = Limit)]
    public async Task Listing_LeavesOutWhatTheContractSays()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await WriteAsync(
            server,
            session,
            ("node_modules/x", ""), (".git/x", ""), ("a/__pycache__/x", ""), ("yarn.lock", ""), ("x.pid", ""), ("tmp/x", ""), ("venv/x", ""),
            (".cache/x", ""), ("a/shown", ""), (".hidden", ""));

        Assert.Equal([".cache/x", ".hidden", "CLAUDE.md", "a/shown", "tmp/x", "venv/x"], Paths(await ListAsync(server, session)));
        Assert.Equal([".hidden", "CLAUDE.md", "a/shown"], Paths(await ListAsync(server, session, "?includeHidden=false")));
        Assert.Equal("", await server.Http.GetStringAsync(Url(session, "yarn.lock")));
    }

    [Fact(Timeout = Limit)]
    public async Task Listing_HasNoCyclesAndLeadsNowhere()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var work = await WorkOfAsync(server, session);
        Directory.CreateDirectory(Path.Combine(work, "folder"));
        File.CreateSymbolicLink(Path.Combine(work, "folder", "up"), "..");
        File.CreateSymbolicLink(Path.Combine(work, "root"), "/");

        Assert.Equal(["CLAUDE.md"], Paths(await ListAsync(server, session)));
    }

    [Fact(Timeout = Limit)]
    public async Task Write_AnswersForEachFile_WhateverBecomesOfTheOthers()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var outside = Directory.CreateTempSubdirectory("ash-out-").FullName;
        var work = await WorkOfAsync(server, session);
        File.CreateSymbolicLink(Path.Combine(work, "link"), outside);
        Directory.CreateDirectory(Path.Combine(work, "folder"));

        var answer = await WriteAsync(
            server, session, ("good", "x"), ("../bad", "x"), ("/bad", "x"), ("", "x"), ("a/.DS_Store", "x"), ("link/planted", "x"), ("folder", "x"),
            ("CLAUDE.md", "x"), (".claude/settings.json", "x"), (".mcp.json", "x"), ("also/good", "x"));

        using var document = JsonDocument.Parse(answer);
        var files = document.RootElement.GetProperty("files").EnumerateArray().ToList();
        Assert.Equal(
            [
                null, "Invalid file path", "Invalid file path", "Invalid file path", "Skipped: .DS_Store", "link is not a folder",
                "There is a folder of this name", .. Enumerable.Repeat("Read-only: it is part of the deployed agent", 3), null,
            ],
            files.Select(file => file.TryGetProperty("error", out var error) ? error.GetString() : null));
        Assert.All(files, file => Assert.NotEqual(file.GetProperty("written").GetBoolean(), file.TryGetProperty("error", out _)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        Assert.Equal("Echo.", await server.Http.GetStringAsync(Url(session, "CLAUDE.md")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(server.Folder, "tmp")));
        Directory.Delete(outside);
    }

    [Fact(Timeout = Limit)]
    public async Task Write_GoesBelowItsTarget_InWhateverOrderTheBodyHasIt()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();

        await PostOkAsync(server, session, """ { "files" : [ { "mimeType": null, "content" : "eA\u003d\u003d" , "path" : "\u0061.txt" } ] , "targetPath" : "in/here" } """);

        Assert.Equal("x", await server.Http.GetStringAsync(Url(session, "in/here/a.txt")));
        var refused = await PostOkAsync(server, session, """{"targetPath":"../up","files":[{"path":"a","content":""}]}""");
        Assert.Equal("""{"files":[{"path":"a","written":false,"error":"Invalid file path"}]}""", refused);
    }

    [Theory(Timeout = Limit)]
    [InlineData("", "Body cannot be empty; send a JSON object")]
    [InlineData("[]", "body must be object")]
    [InlineData("{}", "body must have required property 'files'")]
    [InlineData("""{"files":[]}""", "body/files must NOT have fewer than 1 items")]
    [InlineData("""{"files":{}}""", "body/files must be array")]
    [InlineData("""{"files":[{"path":"a","content":""}],"files":[{"path":"b","content":""}]}""", "body has more than one list of files")]
    [InlineData("""{"files":["x"]}""", "body/files/0 must be object")]
    [InlineData("""{"files":[{"path":"x"}]}""", "body/files/0 must have required property 'content'")]
    [InlineData("""{"files":[{"content":""}]}""", "body/files/0 must have required property 'path'")]
    [InlineData("""{"files":[{"path":1,"content":""}]}""", "body/files/0/path must be string")]
    [InlineData("""{"files":[{"path":"x","content":null}]}""", "body/files/0/content must be string")]
    [InlineData("""{"files":[{"path":"x","content":"!"}]}""", "body/files/0/content is not base64")]
    [InlineData("""{"files":[{"path":"x","content":"eA==eA=="}]}""", "body/files/0/content is not base64")]
    [InlineData("""{"files":[{"path":"x","content":"","mode":1}]}""", "mode is not a field of this request; it may have path, content, mimeType")]
    [InlineData("""{"files":[{"path":"x","content":""}]""", "body is not valid JSON at byte 37")]
    [InlineData("""{"files":[{"path":"x","content":""}]} x""", "body is not valid JSON at byte 39")]
    [InlineData("""{"files":[{"path":"x","content":"eA""", "body is not valid JSON at byte 36")]
    public async Task WriteWhoseBodyIsWrong_IsRefused_AndNothingIsWritten(string body, string message)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var withGood = body.Replace("[{", """[{"path":"good","content":""},{""", StringComparison.Ordinal);

        Assert.Equal(message, await RefusalAsync(PostAsync(server, session, body), HttpStatusCode.BadRequest));
        await RefusalAsync(PostAsync(server, session, withGood), HttpStatusCode.BadRequest);

        Assert.Equal(["CLAUDE.md"], Paths(await ListAsync(server, session)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(server.Folder, "tmp")));
    }

    [Fact(Timeout = Limit)]
    public async Task WriteOfTooMuch_IsRefusedFileByFile_AndOfTooManyAsAWhole()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();

        Assert.Equal(
            """{"files":[{"path":"large","written":false,"error":"File too large (52428801 bytes, max 52428800)"},{"path":"one","written":true,"size":1}]}""",
            await PostLargeAsync(server, session, """{"files":[{"path":"large","content":"@52428801"},{"path":"one","content":"eA=="}]}"""));
        Assert.Equal(
            """{"files":[{"path":"one","written":true,"size":1},{"path":"a","written":true,"size":52428800},"""
            + """{"path":"b","written":false,"error":"Batch size limit exceeded"},{"path":"last","written":true,"size":1}]}""",
            await PostLargeAsync(
                server,
                session,
                """{"files":[{"path":"one","content":"eA=="},{"path":"a","content":"@52428800"},{"path":"b","content":"@52428800"},{"path":"last","content":"eA=="}]}"""));
        Assert.Equal(
            "body/files must NOT have more than 500 items",
            await RefusalAsync(PostAsync(server, session, Body([.. Enumerable.Range(0, 501).Select(i => ($"many/{i}", "x"))])), HttpStatusCode.BadRequest));
        Assert.DoesNotContain(Paths(await ListAsync(server, session)), path => path.StartsWith("many", StringComparison.Ordinal));
    }

    [Fact(Timeout = Limit)]
    public async Task BodyThatSaysThatItIsTooLarge_IsNotRead()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        using var content = Large("""{"files":[{"path":"x","content":"@209715200"}]}""");

        Assert.Equal(
            "Request body is too large; 209715200 bytes are allowed", await RefusalAsync(server.Http.PostAsync(Url(session), content), HttpStatusCode.RequestEntityTooLarge));
        Assert.Equal(
            HttpStatusCode.UnsupportedMediaType, (await server.Http.PostAsync(Url(session), new StringContent("{}", Encoding.UTF8, "text/plain"))).StatusCode);
    }

    [Fact(Timeout = Limit)]
    public async Task Delete_RemovesALinkAndNotWhatItLeadsTo_AndNothingOfTheAgent()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var work = await WorkOfAsync(server, session);
        var outside = Path.GetTempFileName();
        File.CreateSymbolicLink(Path.Combine(work, "link"), outside);
        Directory.CreateDirectory(Path.Combine(work, "folder"));

        Assert.Equal(HttpStatusCode.OK, (await server.Http.DeleteAsync(Url(session, "link"))).StatusCode);
        Assert.True(File.Exists(outside));
        Assert.Equal("Path is not a file", await RefusalAsync(server.Http.DeleteAsync(Url(session, "folder")), HttpStatusCode.BadRequest));
        Assert.Equal("Read-only: it is part of the deployed agent", await RefusalAsync(server.Http.DeleteAsync(Url(session, "CLAUDE.md")), HttpStatusCode.BadRequest));
        Assert.Equal("File path required", await RefusalAsync(server.Http.DeleteAsync(Url(session, "")), HttpStatusCode.BadRequest));
        File.Delete(outside);
    }

    internal static string Url(SessionInfo session, string path = "", string part = "files") =>
        path.Length == 0 && part == "files" ? $"/api/sessions/{session.Id}/files" : $"/api/sessions/{session.Id}/{part}/{path}".TrimEnd('/');

    /// <summary>The workspace, as whoever is in the sandbox sees it.</summary>
    internal static async Task<string> WorkOfAsync(InMemoryServer server, SessionInfo session)
    {
        await using var db = await server.ReadStoreAsync();
        var workspace = await db.Sessions.Where(row => row.Id == session.Id).Select(row => row.WorkspaceId).SingleAsync();
        return Path.Combine(server.Workspaces, workspace!.Value.ToString(), "work");
    }

    internal static async Task<string> WriteAsync(InMemoryServer server, SessionInfo session, params (string Path, string Text)[] files) =>
        await PostOkAsync(server, session, Body(files));

    internal static async Task<string> RefusalAsync(Task<HttpResponseMessage> answer, HttpStatusCode status)
    {
        using var response = await answer;
        var body = await response.Content.ReadAsStringAsync();
        Assert.Equal((status, body), (response.StatusCode, body));
        var error = JsonSerializer.Deserialize(body, ApiJson.Default.ApiError)!;
        Assert.Equal((int)status, error.StatusCode);
        Assert.False(string.IsNullOrEmpty(error.Code));
        return error.Error;
    }

    private static string Body(params (string Path, string Text)[] files) => JsonSerializer.Serialize(
        new WriteFilesRequest
        {
            Files = [.. files.Select(file => new WriteFileInput(file.Path, Convert.ToBase64String(Encoding.UTF8.GetBytes(file.Text))))],
        },
        ApiJson.Default.WriteFilesRequest);

    private static Task<HttpResponseMessage> PostAsync(InMemoryServer server, SessionInfo session, string body) =>
        server.Http.PostAsync(Url(session), new StringContent(body, Encoding.UTF8, "application/json"));

    private static async Task<string> PostOkAsync(InMemoryServer server, SessionInfo session, string body)
    {
        using var response = await PostAsync(server, session, body);
        var answer = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, answer);
        return answer;
    }

    private static async Task<string> PostLargeAsync(InMemoryServer server, SessionInfo session, string body)
    {
        using var content = Large(body);
        using var response = await server.Http.PostAsync(Url(session), content);
        return await response.Content.ReadAsStringAsync();
    }

    private static StreamContent Large(string body) =>
        new(new RepeatedBody(body)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    private static async Task<JsonDocument> ListAsync(InMemoryServer server, SessionInfo session, string query = "") =>
        JsonDocument.Parse(await server.Http.GetStringAsync(Url(session) + query));

    private static async Task<string?> SourceAsync(InMemoryServer server, SessionInfo session) =>
        (await ListAsync(server, session)).RootElement.GetProperty("source").GetString();

    private static string[] Paths(JsonDocument listing) =>
        [.. listing.RootElement.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("path").GetString()!).Order(StringComparer.Ordinal)];

    private static async Task MakeSparseAsync(string path, long size)
    {
        await using var file = new FileStream(path, FileMode.Create);
        file.SetLength(size);
    }

    private static async Task<Guid> AddSessionOfAnotherTenantAsync(InMemoryServer server)
    {
        var session = await server.CreateSessionAsync();
        await using var db = await server.ReadStoreAsync();
        var row = await db.Sessions.AsNoTracking().SingleAsync(row => row.Id == session.Id);
        (row.Id, row.TenantId, row.Uid) = (Guid.CreateVersion7(), "other", row.Uid + 1000);
        await server.Get<StoreWriter>().WriteAsync(Durability.Process, transaction =>
        {
            transaction.Db.Sessions.Add(row);
            transaction.Db.SaveChanges();
        });
        return row.Id;
    }
}
