using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Text;
using Ash.Client;
using Ash.EndToEnd.Tests.Fences;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Files;

/// <summary>Files of a session from outside, while a program in its sandbox does the worst to them (attack cases 21 to 23).</summary>
[Collection(FenceTests.Name)]
public sealed class HostileFilesTests(FenceTests.Fixture fixture)
{
    private const string Secret = "a secret of the host";

    private AshServer Server => fixture.Server;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task FoldersThatAreSwappedForLinks_NeverLeadOutOfTheWorkspace()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var outside = Directory.CreateTempSubdirectory("ash-outside-").FullName;
        File.SetUnixFileMode(outside, (UnixFileMode)0b111_111_111);
        await File.WriteAllTextAsync(Path.Combine(outside, "file"), Secret, Cancellation);
        await Server.ShellAsync(
            session,
            $"mkdir d; setsid sh -c 'while :; do mv d x; ln -s {outside} d; rm -f d; mv -T x d || mkdir -p d; done' > /dev/null 2>&1 & echo begun");

        var bundle = Bundle(("d/file", "inside"), ("d/sub/file", "inside"));
        for (var i = 0; i < 30; i++)
        {
            await Server.Client.Files.WriteAsync(session, "d/file", new MemoryStream("inside"u8.ToArray()), Cancellation);
            await Server.Client.Files.UploadWorkspaceAsync(session, new MemoryStream(bundle), Cancellation);
            Assert.NotEqual(Secret, await ReadAsync(session, "d/file"));
            await DeleteAsync(session, "d/file");
            Assert.DoesNotContain((await Server.Client.Files.ListAsync(session, cancellationToken: Cancellation)).Files, file => file.Size == Secret.Length);
            Assert.DoesNotContain(await ContentsAsync(session), text => text == Secret);
        }

        Assert.Equal([Path.Combine(outside, "file")], Directory.EnumerateFileSystemEntries(outside));
        Assert.Equal(Secret, await File.ReadAllTextAsync(Path.Combine(outside, "file"), Cancellation));
        Directory.Delete(outside, recursive: true);
    }

    [Fact(Timeout = 120_000)]
    public async Task LinksAndPipes_AreNeitherFollowedNorWaitedFor()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        await Server.ShellAsync(
            session,
            "ln -s / root; ln -s /proc/self/root proc; ln -s . loop; mkfifo pipe; mkdir in; ln -s .. in/up; echo text > in/file; ln -s in/file link");

        var listing = await Server.Client.Files.ListAsync(session, cancellationToken: Cancellation);
        Assert.Equal(["CLAUDE.md", "in/file"], listing.Files.Select(file => file.Path).Order(StringComparer.Ordinal).Where(path => !path.StartsWith(".claude", StringComparison.Ordinal)));
        Assert.Equal("sandbox", listing.Source);
        foreach (var path in new[] { "root/etc/hostname", "proc/etc/hostname", "loop/in/file", "pipe", "link", "in/up/in/file", "in" })
        {
            var refusal = await Assert.ThrowsAsync<AshApiException>(() => Server.Client.Files.ReadTextAsync(session, path, Cancellation));
            Assert.Equal((HttpStatusCode.BadRequest, "not_a_file"), (refusal.StatusCode, refusal.Code));
        }

        var entries = Entries(await BundleOfAsync(session));
        Assert.Equal(["in", "in/file", "in/up", "link", "loop", "proc", "root"], entries.Keys.Where(path => path != "CLAUDE.md" && !path.StartsWith(".claude", StringComparison.Ordinal)));
        Assert.Equal("text\n", await Server.Client.Files.ReadTextAsync(session, "in/file", Cancellation) is var file ? file.Content : null);
    }

    [Fact(Timeout = 120_000)]
    public async Task FilesThatAreWritten_AreTheAgentsOwn_AndItsInstructionsStayAsTheyAre()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var instructions = await Server.ShellAsync(session, "cat CLAUDE.md");

        await Server.Client.Files.WriteAsync(session, "a/b/given.txt", new MemoryStream("given"u8.ToArray()), Cancellation);
        await Server.Client.Files.UploadWorkspaceAsync(session, new MemoryStream(Bundle(("c/d/packed.txt", "packed"), ("CLAUDE.md", "planted"))), Cancellation);
        var refused = await Server.Client.Files.WriteAsync(session, ".claude/settings.json", new MemoryStream("{}"u8.ToArray()), Cancellation);

        Assert.False(refused.Written);
        Assert.Equal(
            "given more\npacked more\n",
            await Server.ShellAsync(session, "echo ' more' >> a/b/given.txt; echo ' more' >> c/d/packed.txt; cat a/b/given.txt c/d/packed.txt"));
        Assert.Equal("agent agent agent agent\n", await Server.ShellAsync(session, "echo $(stat -c %U a a/b c/d c/d/packed.txt)"));
        Assert.Equal(instructions, await Server.ShellAsync(session, "cat CLAUDE.md"));
        Assert.Equal(instructions, (await Server.Client.Files.ReadTextAsync(session, "CLAUDE.md", Cancellation)).Content);
        var attachment = await Server.Client.Attachments.AddAsync(session, "note.txt", new MemoryStream("noted"u8.ToArray()), cancellationToken: Cancellation);
        Assert.Equal("noted", await Server.ShellAsync(session, $"cat {attachment.WorkspacePath}"));

        // The same files once the sandbox is gone, and in the next one.
        await Server.Client.Sessions.StopAsync(session, Cancellation);
        var kept = await Server.Client.Files.ReadTextAsync(session, "a/b/given.txt", Cancellation);
        Assert.Equal(("given more\n", "snapshot"), (kept.Content, kept.Source));
        await Server.Client.Files.WriteAsync(session, "later.txt", new MemoryStream("later"u8.ToArray()), Cancellation);
        await Server.Client.Sessions.ResumeAsync(session, Cancellation);
        Assert.Equal("later", await Server.ShellAsync(session, "cat later.txt"));
    }

    private async Task<string?> ReadAsync(Guid session, string path)
    {
        try
        {
            return (await Server.Client.Files.ReadTextAsync(session, path, Cancellation)).Content;
        }
        catch (AshApiException refusal) when (refusal.Code is "file_not_found" or "not_a_file")
        {
            return null;
        }
    }

    private async Task DeleteAsync(Guid session, string path)
    {
        try
        {
            await Server.Client.Files.DeleteAsync(session, path, Cancellation);
        }
        catch (AshApiException refusal) when (refusal.Code is "file_not_found" or "not_a_file")
        {
            // It is somewhere else at the moment.
        }
    }

    private async Task<byte[]> BundleOfAsync(Guid session)
    {
        await using var download = await Server.Client.Files.DownloadWorkspaceAsync(session, Cancellation);
        using var bundle = new MemoryStream();
        await download.Content.CopyToAsync(bundle, Cancellation);
        return bundle.ToArray();
    }

    private async Task<IEnumerable<string>> ContentsAsync(Guid session) => Entries(await BundleOfAsync(session)).Values;

    private static SortedDictionary<string, string> Entries(byte[] bundle)
    {
        var entries = new SortedDictionary<string, string>(StringComparer.Ordinal);
        using var gzip = new GZipStream(new MemoryStream(bundle), CompressionMode.Decompress);
        using var archive = new TarReader(gzip);
        while (archive.GetNextEntry() is { } entry)
        {
            entries[entry.Name.TrimEnd('/')] = entry.DataStream is { } data ? new StreamReader(data).ReadToEnd() : string.Empty;
        }

        return entries;
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
}
