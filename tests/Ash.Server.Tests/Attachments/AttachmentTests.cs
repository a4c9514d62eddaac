using System.Net;
using System.Text;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Storage;
using Ash.Server.Tests.Files;
using Ash.Server.Tests.InMemory;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Attachments;

/// <summary>Attachments over HTTP (contract 3.6).</summary>
public sealed class AttachmentTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task Attachment_IsKept_CopiedToTheWorkspace_ListedRead_AndRemovedWithItsCopy()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var message = Guid.NewGuid();

        var first = await AttachAsync(server, session, new CreateAttachmentRequest
        {
            Filename = "some/folder/notes.html",
            Content = Base64("<b>hello</b>"),
            MimeType = "text/html",
            MessageId = message,
        });
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        var second = await AttachAsync(server, session, new CreateAttachmentRequest { Filename = "..", Content = Base64("x") });

        Assert.Equal(
            ("notes.html", "text/html", 12L, message.ToString(), session.Id, session.TenantId, "attachments/notes.html"),
            (first.Filename, first.MimeType, first.Size, first.MessageId, first.SessionId, first.TenantId, first.WorkspacePath));
        Assert.Equal(("unnamed", "application/octet-stream", "unlinked"), (second.Filename, second.MimeType, second.MessageId));
        Assert.Equal([first, second], (await ListAsync(server, session)).Attachments);

        using var read = await server.Http.GetAsync($"/api/attachments/{first.Id}");
        Assert.Equal("<b>hello</b>", await read.Content.ReadAsStringAsync());
        Assert.Equal("text/html", read.Content.Headers.ContentType!.ToString());
        Assert.Equal("attachment; filename*=UTF-8''notes.html", read.Content.Headers.ContentDisposition!.ToString());
        Assert.Equal(["nosniff"], read.Headers.GetValues("X-Content-Type-Options"));
        Assert.Equal("<b>hello</b>", await server.Http.GetStringAsync(FilesTests.Url(session, "attachments/notes.html")));

        Assert.Equal(HttpStatusCode.OK, (await server.Http.DeleteAsync($"/api/attachments/{first.Id}")).StatusCode);
        Assert.Equal("Attachment not found", await FilesTests.RefusalAsync(server.Http.GetAsync($"/api/attachments/{first.Id}"), HttpStatusCode.NotFound));
        Assert.Equal("Attachment not found", await FilesTests.RefusalAsync(server.Http.DeleteAsync($"/api/attachments/{first.Id}"), HttpStatusCode.NotFound));
        await FilesTests.RefusalAsync(server.Http.GetAsync(FilesTests.Url(session, "attachments/notes.html")), HttpStatusCode.NotFound);
        Assert.Single(Directory.EnumerateFiles(Path.Combine(server.Folder, "attachments"), "*", SearchOption.AllDirectories));
    }

    [Fact(Timeout = Limit)]
    public async Task AttachmentsOfOneName_AllComeIntoTheWorkspace()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();

        var paths = new List<string?>();
        for (var i = 0; i < 3; i++)
        {
            paths.Add((await AttachAsync(server, session, new CreateAttachmentRequest { Filename = "a.tar.gz", Content = Base64($"{i}") })).WorkspacePath);
        }

        paths.Add((await AttachAsync(server, session, new CreateAttachmentRequest { Filename = ".hidden", Content = Base64("h") })).WorkspacePath);
        paths.Add((await AttachAsync(server, session, new CreateAttachmentRequest { Filename = ".hidden", Content = Base64("h") })).WorkspacePath);
        Assert.Equal(
            ["attachments/a.tar.gz", "attachments/a.tar (2).gz", "attachments/a.tar (3).gz", "attachments/.hidden", "attachments/.hidden (2)"], paths);
        Assert.Equal("1", await server.Http.GetStringAsync(FilesTests.Url(session, "attachments/a.tar (2).gz")));
    }

    [Fact(Timeout = Limit)]
    public async Task CopyThatWasChanged_StaysWhenItsAttachmentGoes()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var attachment = await AttachAsync(server, session, new CreateAttachmentRequest { Filename = "a", Content = Base64("1") });
        await FilesTests.WriteAsync(server, session, ("attachments/a", "2"));

        Assert.Equal(HttpStatusCode.OK, (await server.Http.DeleteAsync($"/api/attachments/{attachment.Id}")).StatusCode);

        Assert.Equal("2", await server.Http.GetStringAsync(FilesTests.Url(session, "attachments/a")));
    }

    [Fact(Timeout = Limit)]
    public async Task AgentThatLeavesNoRoomForCopies_DoesNotKeepAnAttachmentFromBeingKept()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var outside = Directory.CreateTempSubdirectory("ash-out-").FullName;
        File.CreateSymbolicLink(Path.Combine(await FilesTests.WorkOfAsync(server, session), "attachments"), outside);

        var attachment = await AttachAsync(server, session, new CreateAttachmentRequest { Filename = "a", Content = Base64("1") });

        Assert.Null(attachment.WorkspacePath);
        Assert.Equal("1", await server.Http.GetStringAsync($"/api/attachments/{attachment.Id}"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        Directory.Delete(outside);
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"filename":"a","content":""}""", 400, "Empty attachment content")]
    [InlineData("""{"filename":"","content":"eA=="}""", 400, "body/filename must NOT have fewer than 1 characters")]
    [InlineData("""{"content":"eA=="}""", 400, "body must have required property 'filename'")]
    [InlineData("""{"filename":"a"}""", 400, "body must have required property 'content'")]
    [InlineData("""{"filename":"a","content":"eA==","messageId":"x"}""", 400, "body/messageId must match format \"uuid\"")]
    [InlineData("""{"filename":"a","content":"eA==","mimeType":"a\r\nb"}""", 400, "body/mimeType must be a media type, such as text/plain")]
    [InlineData("""{"filename":"a","content":"AAAAAAAAAAAAAAAA"}""", 413, "Attachment too large (max 10 bytes)")]
    public async Task AttachmentThatCannotBe_IsRefused_AndNothingIsLeft(string body, int status, string message)
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { MaxAttachmentBytes = 10 });
        var session = await server.CreateSessionAsync();

        Assert.Equal(
            message,
            await FilesTests.RefusalAsync(
                server.Http.PostAsync(Url(session), new StringContent(body, Encoding.UTF8, "application/json")), (HttpStatusCode)status));
        Assert.Empty((await ListAsync(server, session)).Attachments);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(server.Folder, "tmp")));
    }

    [Fact(Timeout = Limit)]
    public async Task AttachmentsOfAnEndedSession_AreReadUntilItsFilesGo_AndPurgedWithIt()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { EndedRetention = TimeSpan.FromHours(1) });
        var session = await server.CreateSessionAsync();
        var attachment = await AttachAsync(server, session, new CreateAttachmentRequest { Filename = "a", Content = Base64("1") });
        await server.Client.Sessions.EndAsync(session.Id);

        Assert.Equal("1", await server.Http.GetStringAsync($"/api/attachments/{attachment.Id}"));
        var more = JsonSerializer.Serialize(new CreateAttachmentRequest { Filename = "b", Content = Base64("1") }, ApiJson.Default.CreateAttachmentRequest);
        Assert.Equal(
            "Session is ended",
            await FilesTests.RefusalAsync(server.Http.PostAsync(Url(session), new StringContent(more, Encoding.UTF8, "application/json")), HttpStatusCode.BadRequest));

        server.Clock.Advance(TimeSpan.FromHours(2));
        await server.SweepEndedSessionsAsync();
        Assert.Equal(
            "Attachment file not found on disk",
            await FilesTests.RefusalAsync(server.Http.GetAsync($"/api/attachments/{attachment.Id}"), HttpStatusCode.NotFound));

        await server.Client.Sessions.EndAsync(session.Id, purge: true);
        Assert.Equal("Attachment not found", await FilesTests.RefusalAsync(server.Http.GetAsync($"/api/attachments/{attachment.Id}"), HttpStatusCode.NotFound));
        await using var db = await server.ReadStoreAsync();
        Assert.Empty(await db.Attachments.ToListAsync());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(server.Folder, "attachments")));
    }

    [Fact(Timeout = Limit)]
    public async Task AttachmentOfAnotherTenant_IsAsUnknownAsNone()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var attachment = await AttachAsync(server, session, new CreateAttachmentRequest { Filename = "a", Content = Base64("1") });
        await server.Get<StoreWriter>().WriteAsync(Durability.Process, transaction => transaction.Db.Attachments
            .ExecuteUpdate(row => row.SetProperty(a => a.TenantId, "other")));

        foreach (var id in new[] { attachment.Id, Guid.NewGuid() })
        {
            Assert.Equal("Attachment not found", await FilesTests.RefusalAsync(server.Http.GetAsync($"/api/attachments/{id}"), HttpStatusCode.NotFound));
            Assert.Equal("Attachment not found", await FilesTests.RefusalAsync(server.Http.DeleteAsync($"/api/attachments/{id}"), HttpStatusCode.NotFound));
        }

        Assert.Equal("params/id must match format \"uuid\"", await FilesTests.RefusalAsync(server.Http.GetAsync("/api/attachments/x"), HttpStatusCode.BadRequest));
    }

    private static string Url(SessionInfo session) => $"/api/sessions/{session.Id}/attachments";

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static async Task<AttachmentListEnvelope> ListAsync(InMemoryServer server, SessionInfo session) =>
        JsonSerializer.Deserialize(await server.Http.GetStringAsync(Url(session)), ApiJson.Default.AttachmentListEnvelope)!;

    private static async Task<AttachmentInfo> AttachAsync(InMemoryServer server, SessionInfo session, CreateAttachmentRequest request)
    {
        var json = JsonSerializer.Serialize(request, ApiJson.Default.CreateAttachmentRequest);
        using var response = await server.Http.PostAsync(Url(session), new StringContent(json, Encoding.UTF8, "application/json"));
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Created, body);
        return JsonSerializer.Deserialize(body, ApiJson.Default.AttachmentEnvelope)!.Attachment;
    }
}
