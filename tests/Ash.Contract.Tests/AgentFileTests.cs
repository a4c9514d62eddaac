namespace Ash.Contract.Tests;

/// <summary>Contract 3.1: the files of an agent.</summary>
public sealed class AgentFileTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task Files_AreListed_Read_Written_AndDeleted()
    {
        var agent = $"/api/agents/{await DeployAsync("prompt")}";

        var written = await Api.PostAsync($"{agent}/files", $$"""{"files":[{"path":"docs/a b.json","content":"{{Base64("{}")}}"}]}""");

        Assert.Equal(1, written.Is(200).GetProperty("written").GetInt32());
        var paths = (await Api.GetAsync($"{agent}/files")).Is(200).GetProperty("files").EnumerateArray().Select(file => file.GetProperty("path").GetString());
        Assert.Equal(["CLAUDE.md", "docs/a b.json"], paths.Order(StringComparer.Ordinal));
        var text = (await Api.GetAsync($"{agent}/files/docs%2Fa%20b.json")).Is(200);
        Assert.Equal(("docs/a b.json", "{}", 2), (text.GetProperty("path").GetString(), text.GetProperty("content").GetString(), text.GetProperty("size").GetInt32()));
        Assert.True((await Api.DeleteAsync($"{agent}/files/docs/a%20b.json")).Is(200).GetProperty("deleted").GetBoolean());
        (await Api.GetAsync($"{agent}/files/docs/a%20b.json")).IsError(404, "file_not_found", "File not found");
        Assert.Equal(3, (await Api.GetAsync(agent)).Is(200).GetProperty("agent").GetProperty("version").GetInt32());
    }

    [Fact(Timeout = Limit)]
    public async Task RawFile_HasItsTypeAndName_AndItsRanges()
    {
        var file = $"/api/agents/{await DeployAsync("0123456789")}/files/CLAUDE.md?format=raw";

        var whole = await Api.GetAsync(file);
        whole.IsWithoutJson(200);
        Assert.Equal("text/markdown", whole.MediaType);
        Assert.StartsWith("0123456789", whole.Text, StringComparison.Ordinal);
        Assert.Equal("attachment; filename*=UTF-8''CLAUDE.md", whole.ContentHeaders.GetValues("Content-Disposition").Single());
        var part = await Api.GetAsync(file, ("Range", "bytes=2-4"));
        part.IsWithoutJson(206);
        Assert.Equal("234", part.Text);
        (await Api.GetAsync(file, ("Range", "bytes=100-"))).IsError(416, "range_not_satisfiable");
    }

    [Fact(Timeout = Limit)]
    public async Task File_ThatCannotBe_IsRefused()
    {
        var files = $"/api/agents/{await DeployAsync()}/files";
        await Api.PostAsync(files, $$"""{"files":[{"path":"folder/big.txt","content":"{{Base64(new string('x', 1_048_577))}}"}]}""");

        (await Api.GetAsync($"{files}/nothing")).IsError(404, "file_not_found", "File not found");
        (await Api.GetAsync($"{files}/folder")).IsError(400, "not_a_file", "Path is not a file");
        (await Api.GetAsync($"{files}/folder/big.txt")).IsError(400, "file_too_large", "File too large (1048577 bytes, max 1048576)");
        (await Api.GetAsync($"{files}/..%2Fup")).IsError(400, "path_not_allowed", "Invalid file path");
        (await Api.GetAsync($"{files}/CLAUDE.md?format=xml")).IsError(400, "invalid_request", "format must be json or raw");
        (await Api.PostAsync(files, """{"files":[{"path":"../up","content":""}]}""")).IsError(400, "invalid_path", "Path \"../up\" escapes agent directory");
        (await Api.PostAsync(files, """{"files":[{"path":"a","content":"?"}]}""")).IsError(400, "invalid_request");
        (await Api.DeleteAsync($"{files}/..%2Fup")).IsError(400, "invalid_path", "Path escapes agent directory");
        (await Api.DeleteAsync($"{files}/nothing")).IsError(404, "file_not_found", "File not found");
        (await Api.DeleteAsync($"{files}/CLAUDE.md")).IsError(400, "missing_claude_md");
    }

    [Theory(Timeout = Limit)]
    [InlineData("GET", "files", null)]
    [InlineData("GET", "files/a", null)]
    [InlineData("GET", "download", null)]
    [InlineData("DELETE", "files/a", null)]
    [InlineData("POST", "files", """{"files":[{"path":"a","content":""}]}""")]
    public async Task FilesOfNoAgent_AreNotFound(string method, string rest, string? body) =>
        (await Api.SendAsync(method, $"/api/agents/nobody/{rest}", body)).IsError(404, "agent_not_found", "Agent not found");

    [Fact(Timeout = Limit)]
    public async Task Download_IsAnArchive()
    {
        var name = await DeployAsync();
        var archive = await Api.GetAsync($"/api/agents/{name}/download");

        archive.IsWithoutJson(200);
        Assert.Equal("application/gzip", archive.MediaType);
        Assert.Equal([0x1f, 0x8b], archive.Bytes[..2]);
    }
}
