using Ash.Cli.Tests.Chat;
using Ash.Client.Tests.Scripted;
using Microsoft.AspNetCore.Http;

namespace Ash.Cli.Tests.Sessions;

/// <summary>Attachments, and files as bytes.</summary>
public sealed class AttachmentTests
{
    private const string Id = "019a0000-0000-7000-8000-0000000000aa";

    private static readonly string Json =
        $$"""{"id":"{{Id}}","tenantId":"t","messageId":"unlinked","sessionId":"{{ChatApi.Session}}","filename":"a.txt","mimeType":"text/plain","size":4,"createdAt":"2026-01-15T10:00:00.000Z","workspacePath":"attachments/a.txt"}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Attachments_AreAdded_Listed_Read_AndRemoved()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"POST {ChatApi.Path}/attachments", $$"""{"attachment":{{Json}}}""", 201)
            .On($"GET {ChatApi.Path}/attachments", $$"""{"attachments":[{{Json}}]}""")
            .On($"GET /api/attachments/{Id}", context => context.Response.WriteAsync("text"))
            .On($"DELETE /api/attachments/{Id}", "", 204);
        using var home = ChatApi.HomeOf(api);
        var file = home.Write("a.txt", "text");

        Assert.StartsWith(
            "Attached: {", (await home.RunAsync("session", "attach", $"{ChatApi.Session}", file, "--type", "text/plain")).Out, StringComparison.Ordinal);
        var table = await home.RunAsync(["session", "attachments", $"{ChatApi.Session}"], isTerminal: true, cancellationToken: Stop);
        Assert.Contains($"{Id}  a.txt     text/plain     4  2026-01-15 10:00:00\n", table.Out, StringComparison.Ordinal);
        Assert.Equal("text", (await home.RunAsync("session", "attachments", $"{ChatApi.Session}", Id)).Out);
        Assert.Equal($"Deleted attachment: {Id}\n", (await home.RunAsync("session", "detach", Id)).Out);
        Assert.Contains("\"filename\":\"a.txt\"", api.Requests.First().Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_IsPrintedByteForByte_Saved_OrShownHarmlessly()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {ChatApi.Path}/files/a/b.txt", context =>
        {
            context.Response.Headers["X-Ash-Source"] = "sandbox";
            return context.Response.WriteAsync("one\e[2J\n");
        });
        using var home = ChatApi.HomeOf(api);
        var saved = Path.Combine(home.Folder, "saved");

        Assert.Equal("one\e[2J\n", (await home.RunAsync("session", "read", $"{ChatApi.Session}", "a/b.txt")).Out);
        Assert.Equal(
            "one[2J\n",
            (await home.RunAsync(["session", "read", $"{ChatApi.Session}", "a/b.txt"], isTerminal: true, cancellationToken: Stop)).Out);
        Assert.Equal(
            $"Saved {saved} (8 bytes, from the sandbox)\n", (await home.RunAsync("session", "read", $"{ChatApi.Session}", "a/b.txt", "-o", saved)).Out);
        Assert.Equal("one\e[2J\n", await File.ReadAllTextAsync(saved, Stop));
    }

    [Fact]
    public async Task File_IsDeleted()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"DELETE {ChatApi.Path}/files/a.txt", """{"path":"a.txt","deleted":true}""");
        using var home = ChatApi.HomeOf(api);

        Assert.Equal("Deleted a.txt\n", (await home.RunAsync("session", "rm", $"{ChatApi.Session}", "a.txt")).Out);
        Assert.Equal("{\"deleted\":\"a.txt\"}\n", (await home.RunAsync("session", "rm", $"{ChatApi.Session}", "a.txt", "--json")).Out);
        Assert.Equal(ExitCodes.NotFound, (await home.RunAsync("session", "rm", $"{ChatApi.Session}", "missing")).ExitCode);
        Assert.Equal(ExitCodes.Usage, (await home.RunAsync("session", "rm", $"{ChatApi.Session}", "../x")).ExitCode);
    }
}
