using System.Text.Json;
using Ash.Client.Tests.Scripted;
using Microsoft.AspNetCore.Http;

namespace Ash.Cli.Tests.Sessions;

/// <summary><c>ash session files</c>, <c>write</c>, <c>download</c>, <c>upload</c>.</summary>
public sealed class FileTests : IDisposable
{
    private static readonly Guid Session = new("019a0000-0000-7000-8000-000000000001");
    private static readonly string Path = $"/api/sessions/{Session}";

    private readonly string _folder = Directory.CreateTempSubdirectory("ash-cli-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Files_ListsThemAsATable_OrAsJson()
    {
        const string Listing =
            """{"files":[{"path":"a/long/name.txt","size":12,"modifiedAt":"2026-01-15T10:00:00.000Z"},{"path":"b\u001b[2J","size":12345,"modifiedAt":"2026-02-03T04:05:06.007Z"}],"source":"snapshot"}""";
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {Path}/files", Listing);
        using var home = Home(api);

        var run = await home.RunAsync("session", "files", $"{Session}");
        var forPrograms = await home.RunAsync("--json", "session", "files", $"{Session}");

        Assert.Equal(
            """
            Source: snapshot
            PATH              SIZE  MODIFIED
            a/long/name.txt     12  2026-01-15 10:00:00
            b[2J             12345  2026-02-03 04:05:06
            2 file(s)

            """,
            run.Out);
        Assert.Equal(2, JsonDocument.Parse(forPrograms.Out).RootElement.GetProperty("files").GetArrayLength());
    }

    [Fact]
    public async Task Files_PrintsAFileAsItIs()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {Path}/files/a.txt", """{"path":"a.txt","content":"one\ntwo","size":7,"source":"sandbox"}""");
        using var home = Home(api);

        Assert.Equal("one\ntwo", (await home.RunAsync("session", "files", $"{Session}", "a.txt")).Out);
        Assert.Equal(ExitCodes.NotFound, (await home.RunAsync("session", "files", $"{Session}", "missing")).ExitCode);
    }

    [Fact]
    public async Task Write_SendsAFile_UnderItsOwnNameOrAnother()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"POST {Path}/files", """{"files":[{"path":"x","written":true,"size":4}]}""");
        using var home = Home(api);
        var local = System.IO.Path.Combine(_folder, "local.txt");
        await File.WriteAllTextAsync(local, "text");

        Assert.Equal("Wrote local.txt (4 bytes)\n", (await home.RunAsync("session", "write", $"{Session}", local)).Out);
        Assert.Equal("Wrote in/it.txt (4 bytes)\n", (await home.RunAsync("session", "write", $"{Session}", local, "in/it.txt")).Out);

        Assert.Equal(
            ["""{"files":[{"path":"local.txt","content":"dGV4dA=="}]}""", """{"files":[{"path":"in/it.txt","content":"dGV4dA=="}]}"""],
            api.Requests.Select(request => request.Body));
        Assert.Equal(ExitCodes.Failed, (await home.RunAsync("session", "write", $"{Session}", local + "-missing")).ExitCode);
    }

    [Fact]
    public async Task Write_SaysWhyAFileWasNotWritten()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"POST {Path}/files", """{"files":[{"path":"x","written":false,"error":"Invalid file path"}]}""");
        using var home = Home(api);
        var local = System.IO.Path.Combine(_folder, "local.txt");
        await File.WriteAllTextAsync(local, "text");

        var run = await home.RunAsync("session", "write", $"{Session}", local, "../x");

        Assert.Equal((ExitCodes.Failed, "../x was not written: Invalid file path\n"), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task Download_SavesTheBundle_AndNoHalfOfOne()
    {
        await using var api = await ScriptedApi.StartAsync();
        var breaks = false;
        api.On($"GET {Path}/workspace", async context =>
        {
            context.Response.Headers["X-Ash-Source"] = "sandbox";
            await context.Response.WriteAsync("bundle");
            await context.Response.Body.FlushAsync();
            if (breaks)
            {
                context.Abort();
            }
        });
        using var home = Home(api);
        var target = System.IO.Path.Combine(_folder, "w.tar.gz");

        var run = await home.RunAsync("session", "download", $"{Session}", "-o", target);
        Assert.Equal($"Saved {target} (6 bytes, from the sandbox)\n", run.Out);
        Assert.Equal("bundle", await File.ReadAllTextAsync(target));

        breaks = true;
        Assert.NotEqual(ExitCodes.Ok, (await home.RunAsync("session", "download", $"{Session}", "-o", System.IO.Path.Combine(_folder, "half"))).ExitCode);
        Assert.Equal([target], Directory.EnumerateFiles(_folder));
    }

    [Fact]
    public async Task Upload_SaysWhatWasWrittenAndWhatWasNot()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On(
            $"POST {Path}/workspace",
            """{"message":"Workspace saved as snapshot","written":3,"skipped":3,"skippedEntries":[{"path":"CLAUDE.md","reason":"Read-only"}]}""");
        using var home = Home(api);
        var bundle = System.IO.Path.Combine(_folder, "b.tgz");
        await File.WriteAllTextAsync(bundle, "packed");

        var run = await home.RunAsync("session", "upload", $"{Session}", bundle);

        Assert.Equal((ExitCodes.Ok, "Workspace saved as snapshot: 3 file(s)\n"), (run.ExitCode, run.Out));
        Assert.Equal("Skipped CLAUDE.md: Read-only\nSkipped 2 more\n", run.Error);
        Assert.Equal("packed", Assert.Single(api.Requests).Body);
    }

    private static TestHome Home(ScriptedApi api) => new() { Environment = { ["ASH_SERVER_URL"] = $"{api.Url}", ["ASH_API_KEY"] = "k" } };
}
