using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Ash.Contract.Tests;

/// <summary>Contract 3.5: files of a session, and its whole workspace.</summary>
public sealed class FileTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task Files_AreWritten_Listed_Read_AndDeleted_WithAnOutcomeEach()
    {
        var files = $"{await CreateSessionAsync()}/files";

        var written = (await Api.PostAsync(files, $$"""
            {"targetPath":"notes","files":[{"path":"a b.txt","content":"{{Base64("hello")}}"},{"path":"../../up","content":""},{"path":".DS_Store","content":""}]}
            """)).Is(200).GetProperty("files");

        Assert.Equal([true, false, false], written.EnumerateArray().Select(file => file.GetProperty("written").GetBoolean()));
        Assert.Equal("Skipped: .DS_Store", written[2].GetProperty("error").GetString());
        var listing = (await Api.GetAsync(files)).Is(200);
        Assert.Equal("sandbox", listing.GetProperty("source").GetString());
        Assert.Contains("notes/a b.txt", listing.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("path").GetString()));
        var raw = await Api.GetAsync($"{files}/notes/a%20b.txt");
        raw.IsWithoutJson(200);
        Assert.Equal(("hello", "text/plain", "sandbox"), (raw.Text, raw.MediaType, raw.Headers.GetValues("X-Ash-Source").Single()));
        Assert.Equal("nosniff", raw.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("hello", (await Api.GetAsync($"{files}/notes/a%20b.txt?format=json")).Is(200).GetProperty("content").GetString());
        var part = await Api.GetAsync($"{files}/notes/a%20b.txt", ("Range", "bytes=1-3"));
        part.IsWithoutJson(206);
        Assert.Equal("ell", part.Text);
        Assert.True((await Api.DeleteAsync($"{files}/notes/a%20b.txt")).Is(200).GetProperty("deleted").GetBoolean());
        (await Api.GetAsync($"{files}/notes/a%20b.txt")).IsError(404, "file_not_found", "File not found");
    }

    [Fact(Timeout = Limit)]
    public async Task Request_ThatCannotBeMet_IsRefused()
    {
        var files = $"{await CreateSessionAsync()}/files";
        await Api.PostAsync(files, $$"""{"files":[{"path":"folder/big","content":"{{Base64(new string('x', 1_048_577))}}"}]}""");

        (await Api.GetAsync($"{files}/")).IsError(400, "path_required", "File path required");
        (await Api.GetAsync($"{files}/..%2Fup")).IsError(400, "path_not_allowed", "Invalid file path");
        (await Api.GetAsync($"{files}/folder")).IsError(400, "not_a_file", "Path is not a file");
        (await Api.GetAsync($"{files}/folder/big?format=json")).IsError(400, "file_too_large", "File too large (1048577 bytes, max 1048576)");
        (await Api.GetAsync($"{files}/folder/big?format=xml")).IsError(400, "invalid_request");
        (await Api.GetAsync($"{files}/folder/big", ("Range", "bytes=9999999-"))).IsError(416, "range_not_satisfiable");
        (await Api.GetAsync($"{files}?includeHidden=1")).IsError(400, "invalid_request");
        (await Api.DeleteAsync($"{files}/nothing")).IsError(404, "file_not_found", "File not found");
        (await Api.DeleteAsync($"{files}/folder")).IsError(400, "not_a_file", "Path is not a file");
        (await Api.DeleteAsync($"{files}/CLAUDE.md")).IsError(400, "path_not_allowed");
        (await Api.PostAsync(files, """{"files":[]}""")).IsError(400, "invalid_request");
        (await Api.PostAsync(files, """{"files":[{"path":"a"}]}""")).IsError(400, "invalid_request");
    }

    [Fact(Timeout = Limit)]
    public async Task Workspace_IsTakenFromOneSession_AndLaidOverAnother()
    {
        var (from, to) = (await CreateSessionAsync(), await CreateSessionAsync());
        await Api.PostAsync($"{from}/files", $$"""{"files":[{"path":"note.txt","content":"{{Base64("hello")}}"}]}""");

        var bundle = await Api.GetAsync($"{from}/workspace");

        bundle.IsWithoutJson(200);
        Assert.Equal("application/gzip", bundle.MediaType);
        var laid = (await Api.PostAsync($"{to}/workspace", $$"""{"bundle":"{{Convert.ToBase64String(bundle.Bytes)}}"}""")).Is(200);
        Assert.Equal("Workspace restored to live sandbox", laid.GetProperty("message").GetString());
        Assert.Equal("hello", (await Api.GetAsync($"{to}/files/note.txt")).Text);
        (await Api.SendAsync("POST", $"{to}/workspace", bundle.Bytes, "application/gzip", [])).Is(200);
    }

    [Fact(Timeout = Limit)]
    public async Task Bundle_ThatIsNone_IsRefused()
    {
        var workspace = $"{await CreateSessionAsync()}/workspace";

        (await Api.PostAsync(workspace, """{"bundle":"aGVsbG8="}""")).IsError(400, "invalid_bundle", "Invalid bundle: not a gzip file");
        (await Api.PostAsync(workspace, "{}")).IsError(400, "invalid_request");
        (await Api.SendAsync("POST", workspace, "x", "text/plain")).IsError(415, "unsupported_media_type");
    }

    [Fact(Timeout = Limit)]
    public async Task Bundle_ThatLeadsOutside_LeavesThatOut()
    {
        var session = await CreateSessionAsync();
        using var bundle = new MemoryStream();
        await using (var packed = new GZipStream(bundle, CompressionLevel.Fastest, leaveOpen: true))
        await using (var archive = new TarWriter(packed))
        {
            await archive.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "in.txt") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes("in")) });
            await archive.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, "out") { LinkName = "/etc/passwd" });
        }

        var laid = (await Api.SendAsync("POST", $"{session}/workspace", bundle.ToArray(), "application/gzip", [])).Is(200);

        Assert.Equal((1, 1), (laid.GetProperty("written").GetInt32(), laid.GetProperty("skipped").GetInt32()));
        (await Api.GetAsync($"{session}/files/out")).IsError(404, "file_not_found", "File not found");
    }
}
