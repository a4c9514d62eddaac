namespace Ash.Contract.Tests;

/// <summary>Contract 3.6: attachments.</summary>
public sealed class AttachmentTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task Attachment_IsKept_Listed_Read_AndFoundByTheAgent()
    {
        var session = await CreateSessionAsync();

        var made = (await Api.PostAsync($"{session}/attachments", $$"""{"filename":"up/note.txt","content":"{{Base64("hello")}}","mimeType":"text/plain"}"""))
            .Is(201).GetProperty("attachment");

        Assert.Equal(("note.txt", "unlinked", 5), (made.GetProperty("filename").GetString(), made.GetProperty("messageId").GetString(), made.GetProperty("size").GetInt32()));
        var listed = (await Api.GetAsync($"{session}/attachments")).Is(200).GetProperty("attachments");
        Assert.Equal(made.GetProperty("id").GetString(), Assert.Single(listed.EnumerateArray()).GetProperty("id").GetString());
        var path = $"/api/attachments/{made.GetProperty("id").GetString()}";
        var bytes = await Api.GetAsync(path);
        bytes.IsWithoutJson(200);
        Assert.Equal(("hello", "text/plain", "nosniff"), (bytes.Text, bytes.MediaType, bytes.Headers.GetValues("X-Content-Type-Options").Single()));
        var part = await Api.GetAsync(path, ("Range", "bytes=0-1"));
        part.IsWithoutJson(206);
        (await Api.GetAsync(path, ("Range", "bytes=10-"))).IsError(416, "range_not_satisfiable");
        Assert.Equal("hello", (await Api.PostAsync($"{session}/exec", """{"command":"cat attachments/note.txt"}""")).Is(200).GetProperty("stdout").GetString());
        (await Api.DeleteAsync(path)).IsDeleted();
        (await Api.GetAsync(path)).IsError(404, "attachment_not_found", "Attachment not found");
        (await Api.DeleteAsync(path)).IsError(404, "attachment_not_found", "Attachment not found");
    }

    [Fact(Timeout = Limit)]
    public async Task Attachment_ThatCannotBe_IsRefused()
    {
        var attachments = $"{await CreateSessionAsync()}/attachments";

        (await Api.PostAsync(attachments, """{"filename":"a","content":""}""")).IsError(400, "invalid_request", "Empty attachment content");
        (await Api.PostAsync(attachments, """{"filename":"a"}""")).IsError(400, "invalid_request");
        (await Api.PostAsync(attachments, """{"filename":"a","content":"?"}""")).IsError(400, "invalid_request");
        (await Api.PostAsync(attachments, """{"filename":"a","content":"eA==","messageId":"x"}""")).IsError(400, "invalid_request");
        (await Api.GetAsync("/api/attachments/x")).IsError(400, "invalid_request", "params/id must match format \"uuid\"");
        (await Api.DeleteAsync("/api/attachments/x")).IsError(400, "invalid_request", "params/id must match format \"uuid\"");
        (await Api.GetAsync($"/api/attachments/{Unknown}")).IsError(404, "attachment_not_found", "Attachment not found");
    }

    [Fact(Timeout = Limit)]
    public async Task Attachment_AboveTheServersLimit_IsTooLarge()
    {
        Assert.True(Server.Own is not null);
        var attachments = $"{await CreateSessionAsync()}/attachments";

        (await Api.PostAsync(attachments, $$"""{"filename":"a","content":"{{Convert.ToBase64String(new byte[10_485_761])}}"}"""))
            .IsError(413, "too_large", "Attachment too large (max 10485760 bytes)");
    }
}
