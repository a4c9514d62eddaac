using System.Globalization;
using System.Text;
using System.Text.Json;
using Ash.Client.Tests.Scripted;
using Ash.Protocol.Api;
using Microsoft.AspNetCore.Http;

namespace Ash.Client.Tests;

public sealed class FileTests
{
    private static readonly Guid Session = new("019a0000-0000-7000-8000-000000000001");
    private static readonly string Path = $"/api/sessions/{Session}";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryFileCall_HasItsMethodAndPath()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {Path}/files", """{"files":[{"path":"a","size":1,"modifiedAt":"2026-01-15T10:00:00.000Z"}],"source":"snapshot"}""")
            .On($"GET {Path}/files/a b/ü?.txt", """{"path":"x","content":"text","size":4,"source":"sandbox"}""")
            .On($"POST {Path}/files", """{"files":[{"path":"a","written":false,"error":"no"}]}""")
            .On($"DELETE {Path}/files/a", """{"path":"a","deleted":true}""")
            .On($"POST {Path}/workspace", """{"message":"m","written":2,"skipped":1,"skippedEntries":[{"path":"p","reason":"r"}]}""");
        using var client = Client(api.Url);

        var listing = await client.Files.ListAsync(Session, includeHidden: false, Stop);
        Assert.Equal(("snapshot", 1L, false), (listing.Source, listing.Files[0].Size, listing.Truncated));
        Assert.Equal("text", (await client.Files.ReadTextAsync(Session, "./a b//ü?.txt", Stop)).Content);
        Assert.Equal("no", (await client.Files.WriteAsync(Session, new WriteFilesRequest { Files = [new("a", "eA==")] }, Stop))[0].Error);
        await client.Files.DeleteAsync(Session, "a", Stop);
        using var bundle = new MemoryStream([1, 2]);
        Assert.Equal("r", (await client.Files.UploadWorkspaceAsync(Session, bundle, Stop)).SkippedEntries[0].Reason);
        Assert.True(bundle.CanRead); // It is the caller's.

        Assert.Equal(["?includeHidden=false", "?format=json", "", "", ""], api.Requests.Select(request => request.Query));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("../other")]
    [InlineData("a/../b")]
    [InlineData("/etc/passwd")]
    public async Task PathThatWouldBeTheAddressOfSomethingElse_IsNotSent(string path)
    {
        await using var api = await ScriptedApi.StartAsync();
        using var client = Client(api.Url);

        await Assert.ThrowsAsync<ArgumentException>(() => client.Files.ReadTextAsync(Session, path, Stop));
        Assert.Empty(api.Requests);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(200_000)]
    public async Task FileAndAttachment_AreSentAsTheyAreRead(int size)
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"POST {Path}/files", """{"files":[{"path":"a","written":true,"size":3}]}""")
            .On(
                $"POST {Path}/attachments",
                $$"""
                {"attachment":{"id":"{{Session}}","tenantId":"t","messageId":"unlinked","sessionId":"{{Session}}","filename":"f","mimeType":"m",
                "size":3,"createdAt":"2026-01-15T10:00:00.000Z","workspacePath":"attachments/f"} }
                """,
                201);
        using var client = Client(api.Url);
        var bytes = new byte[size];
        Random.Shared.NextBytes(bytes);

        Assert.True((await client.Files.WriteAsync(Session, "a \"quoted\" name", new MemoryStream(bytes), Stop)).Written);
        var attachment = await client.Attachments.AddAsync(Session, "ü.txt", new MemoryStream(bytes), "text/plain", Session, Stop);

        Assert.Equal("attachments/f", attachment.WorkspacePath);
        var written = JsonSerializer.Deserialize(api.Requests.First().Body, ApiJson.Default.WriteFilesRequest)!.Files[0];
        Assert.Equal("a \"quoted\" name", written.Path);
        Assert.Equal(bytes, Convert.FromBase64String(written.Content));
        var attached = JsonSerializer.Deserialize(api.Requests.Last().Body, ApiJson.Default.CreateAttachmentRequest)!;
        Assert.Equal(("ü.txt", "text/plain", Session), (attached.Filename, attached.MimeType, attached.MessageId));
        Assert.Equal(bytes, Convert.FromBase64String(attached.Content));
    }

    [Fact]
    public async Task Download_IsReadAsItArrives_AndSaysWhatItIs()
    {
        await using var api = await ScriptedApi.StartAsync();
        var mayEnd = new TaskCompletionSource();
        api.On($"GET {Path}/files/a", async context =>
        {
            context.Response.ContentType = "text/plain";
            context.Response.ContentLength = 4;
            context.Response.Headers["X-Ash-Source"] = "sandbox";
            await context.Response.WriteAsync(context.Request.Headers.Range.ToString() == "bytes=2-5" ? "ab" : "no");
            await context.Response.Body.FlushAsync();
            await mayEnd.Task;
            await context.Response.WriteAsync("cd");
        });
        using var client = Client(api.Url);

        await using var download = await client.Files.OpenAsync(Session, "a", from: 2, count: 4, Stop);
        var start = new byte[2];
        await download.Content.ReadExactlyAsync(start, Stop);
        mayEnd.SetResult();

        Assert.Equal(("text/plain", 4L, "sandbox", "ab"), (download.MediaType, download.Length, download.Source, Encoding.ASCII.GetString(start)));
        Assert.Equal("cd", await new StreamReader(download.Content).ReadToEndAsync(Stop));
    }

    [Fact]
    public async Task DownloadThatBreaksOff_DoesNotLookWhole()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {Path}/workspace", async context =>
        {
            await context.Response.WriteAsync("half of it");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        using var client = Client(api.Url);

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var download = await client.Files.DownloadWorkspaceAsync(Session, Stop);
            await download.Content.CopyToAsync(Stream.Null, Stop);
        });
    }

    [Fact]
    public async Task Refusals_AreTold()
    {
        await using var api = await ScriptedApi.StartAsync();
        using var client = Client(api.Url);

        Assert.Equal("not_found", (await Assert.ThrowsAsync<AshApiException>(() => client.Files.OpenAsync(Session, "a", cancellationToken: Stop))).Code);
        Assert.Equal("not_found", (await Assert.ThrowsAsync<AshApiException>(() => client.Files.UploadWorkspaceAsync(Session, Stream.Null, Stop))).Code);
        Assert.Equal("not_found", (await Assert.ThrowsAsync<AshApiException>(() => client.Attachments.DeleteAsync(Session, Stop))).Code);
        api.On($"DELETE /api/attachments/{Session.ToString("D", CultureInfo.InvariantCulture)}", "", 204);
        await client.Attachments.DeleteAsync(Session, Stop);
    }

    private static AshClient Client(Uri url) => new(new AshClientOptions { ServerUrl = url, ApiKey = "k" });
}
