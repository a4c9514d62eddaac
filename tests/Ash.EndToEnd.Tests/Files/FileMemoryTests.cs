using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Ash.EndToEnd.Tests.Fences;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Files;

/// <summary>However large files and workspaces are, the server holds a piece of them at a time.</summary>
public sealed class FileMemoryTests
{
    private const int MaxAnswerBytes = 100 * 1024 * 1024;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("ASH_TEST_LONG") == "1";
    private static readonly long FileBytes = IsLong ? 500_000_000 : 50_000_000;

    // What the collector lets lie before it collects, and no more: it does not follow the size.
    private static readonly int AllowedKb = (IsLong ? 50 : 32) * 1000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>50 MB read and 100 MB bundled; 500 MB and 1 GB in the long form.</summary>
    [Fact(Timeout = 580_000)]
    public async Task LargeFilesAndBundles_PassThroughAServerThatStaysSmall()
    {
        await using var server = await AshServer.StartAsync();
        var session = (await server.CreateSessionAsync()).Id;
        await server.ShellAsync(session, $"head -c 1000000 /dev/urandom > warm");
        await PassAsync(server, session, "warm", 1_000_000);
        await server.ShellAsync(session, $"rm warm; for name in one two; do head -c {FileBytes} /dev/urandom > $name; done");

        var before = ForgetPeak(server);
        await PassAsync(server, session, "one", FileBytes);
        var most = ProcessMemory.KbOf(server.Pid, "VmHWM");

        TestContext.Current.TestOutputHelper?.WriteLine($"The server grew by {most - before:N0} KB from {before:N0} KB");
        Assert.InRange(most - before, long.MinValue, AllowedKb);
        Assert.Equal(await SumAsync(server, session, "one"), await SumAsync(server, session, "kept-one"));
        Assert.Equal($"{FileBytes * 2}\n", await server.ShellAsync(session, "cat one two | wc -c"));
    }

    /// <summary>Reads a file, and takes the workspace away and lays it over itself again, by both ways that there are.</summary>
    private static async Task PassAsync(AshServer server, Guid session, string file, long size)
    {
        var kept = await server.ShellAsync(session, $"cp {file} kept-{file}; sha256sum < {file}");
        using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            for (var read = 0L; read < size; read += MaxAnswerBytes)
            {
                await using var part = await server.Client.Files.OpenAsync(session, file, read, MaxAnswerBytes, Cancellation);
                await ReadAsync(part.Content, bytes => hash.AppendData(bytes.Span));
            }

            Assert.StartsWith(Convert.ToHexStringLower(hash.GetHashAndReset()), kept, StringComparison.Ordinal);
        }

        await server.ShellAsync(session, $"rm kept-{file}");
        var path = Path.GetTempFileName();
        await using (var bundle = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, 4096, FileOptions.DeleteOnClose))
        {
            await using (var download = await server.Client.Files.DownloadWorkspaceAsync(session, Cancellation))
            {
                await download.Content.CopyToAsync(bundle, Cancellation);
            }

            await server.ShellAsync(session, $"mv {file} kept-{file}");
            bundle.Position = 0;
            Assert.InRange((await server.Client.Files.UploadWorkspaceAsync(session, bundle, Cancellation)).Written, 1, 10);

            if (bundle.Length <= MaxAnswerBytes)
            {
                bundle.Position = 0;
                await UploadAsJsonAsync(server, session, bundle);
            }
        }
    }

    private static async Task UploadAsJsonAsync(AshServer server, Guid session, Stream bundle)
    {
        using var json = new JsonBundle(bundle);
        using var response = await server.Http.PostAsync($"/api/sessions/{session}/workspace", json, Cancellation);
        Assert.Equal((HttpStatusCode.OK, true), (response.StatusCode, (await response.Content.ReadAsStringAsync(Cancellation)).Contains("Workspace restored to live sandbox", StringComparison.Ordinal)));
    }

    private static async Task<string> SumAsync(AshServer server, Guid session, string file) => await server.ShellAsync(session, $"sha256sum < {file}");

    private static async Task ReadAsync(Stream content, Action<ReadOnlyMemory<byte>> take)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await content.ReadAsync(buffer, Cancellation)) > 0)
        {
            take(buffer.AsMemory(0, read));
        }
    }

    /// <summary>From here on <c>VmHWM</c> is the most that the server has had since.</summary>
    /// <returns>What it has now.</returns>
    private static long ForgetPeak(AshServer server)
    {
        File.WriteAllText($"/proc/{server.Pid}/clear_refs", "5");
        return ProcessMemory.KbOf(server.Pid, "VmRSS");
    }

    /// <summary>The contract's way: a bundle as a string.</summary>
    private sealed class JsonBundle : HttpContent
    {
        private readonly Stream _bundle;

        public JsonBundle(Stream bundle)
        {
            _bundle = bundle;
            Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync("{\"bundle\":\""u8.ToArray());
            var piece = new byte[48 * 1024];
            int read;
            while ((read = await _bundle.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false)) > 0)
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(Convert.ToBase64String(piece, 0, read)));
            }

            await stream.WriteAsync("\"}"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
