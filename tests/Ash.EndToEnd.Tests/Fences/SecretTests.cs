using System.Text;
using Ash.Client.Events;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Fences;

/// <summary>The host's model key is nowhere, while the model answers to nothing else.</summary>
[Collection(FenceTests.Name)]
public sealed class SecretTests(FenceTests.Fixture fixture)
{
    /// <summary>
    /// Reads everything that can be read from inside and names where the words are. The words come in halves, so that the
    /// search does not find itself.
    /// </summary>
    internal const string Search = """
        import glob, os, stat
        words = {name: (one + two).encode() for name, one, two in WORDS}
        skipped = {'/proc/kcore', '/proc/kmsg', '/proc/kpagecount', '/proc/kpageflags', '/proc/kpagecgroup', '/proc/sysrq-trigger'}
        found, files = set(), 0
        def look(path):
            global files
            try:
                handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError: return
            try:
                if not stat.S_ISREG(os.fstat(handle).st_mode): return
                files += 1
                rest = b''
                for _ in range(200):
                    chunk = os.read(handle, 1 << 20)
                    if not chunk: break
                    text = rest + chunk
                    for name, word in words.items():
                        if word in text: found.add(name + ' ' + path)
                    rest = text[-100:]
            except OSError: pass
            finally: os.close(handle)
        for process in glob.glob('/proc/[0-9]*'):
            for name in ('environ', 'cmdline', 'comm', 'status', 'stat', 'maps', 'mountinfo', 'cgroup', 'limits', 'auxv'): look(process + '/' + name)
            for task in glob.glob(process + '/task/*'):
                for name in ('environ', 'cmdline', 'comm'): look(task + '/' + name)
        for top in ('/proc/sys', '/proc/net', '/proc/fs', '/workspace', '/home', '/tmp', '/run', '/etc', '/dev/shm', '/opt', '/var'):
            for folder, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(folder, name)
                    if path not in ('/opt/ash/claude',): look(path)
        for path in glob.glob('/proc/*'):
            if path not in skipped: look(path)
        print('files', files > 500)
        for line in sorted(found): print(line)
        """;

    private AshServer Server => fixture.Server;

    [Fact(Timeout = 120_000)]
    public async Task TheHostsKey_IsNowhere_WhileTheModelDemandsIt()
    {
        var session = await Server.CreateSessionAsync();
        var marker = "marker-" + Guid.NewGuid().ToString("N");
        await Server.BashAsync(session.Id, $"printf %s {marker} > /workspace/marker.txt; env > /workspace/env.txt; echo done");
        var token = await Server.TokenOfAsync(session.Id);

        var inside = Inside.Lines(await Server.PythonAsync(session.Id, Search.Replace(
            "WORDS", Halves(("key", Server.ModelKey), ("api", Server.ApiKey), ("token", token), ("marker", marker)), StringComparison.Ordinal)));

        // What must be found shows that the search would have found the rest.
        Assert.Equal("files True", inside[0]);
        Assert.Contains("marker /workspace/marker.txt", inside);
        Assert.Contains(inside, line => line.StartsWith("token /proc/", StringComparison.Ordinal) && line.EndsWith("/environ", StringComparison.Ordinal));
        Assert.DoesNotContain(inside, line => line.StartsWith("token /proc/1/", StringComparison.Ordinal));
        Assert.DoesNotContain(inside, line => line.StartsWith("key ", StringComparison.Ordinal) || line.StartsWith("api ", StringComparison.Ordinal));
        Assert.All(
            Server.Model.Requests.Where(request => request.SessionId == session.Id.ToString()),
            request => Assert.Equal(200, request.Outcome?.Status));

        await Server.Client.Sessions.PauseAsync(session.Id, TestContext.Current.CancellationToken);
        Assert.Equal(["marker"], WordsInDataFolder(("key", Server.ModelKey), ("api", Server.ApiKey), ("marker", marker)));
        Assert.DoesNotContain(Server.ModelKey, Server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(token, Server.Output, StringComparison.Ordinal);
        var log = await Server.ReadLogAsync(session.Id);
        Assert.Contains(log, e => Holds(e, marker));
        Assert.DoesNotContain(log, e => Holds(e, Server.ModelKey) || Holds(e, Server.ApiKey));
    }

    [Fact(Timeout = 60_000)]
    public async Task TheToken_IsNotInTheStore()
    {
        var session = await Server.CreateSessionAsync();
        await Server.SendAsync(session.Id, "hello");

        Assert.Empty(WordsInDataFolder(("token", await Server.TokenOfAsync(session.Id))));
    }

    [Fact(Timeout = 60_000)]
    public async Task NoProcessOfTheHost_GivesTheKey_ToItsChildren()
    {
        var session = await Server.CreateSessionAsync();
        await Server.SendAsync(session.Id, "hello");

        // As the host's root sees them: the outer bubblewrap and the launcher's log are outside of what can be seen inside.
        foreach (var process in Server.ProcessesOf(session.Id))
        {
            Assert.DoesNotContain(Server.ModelKey, await File.ReadAllTextAsync($"/proc/{process.Pid}/environ", TestContext.Current.CancellationToken), StringComparison.Ordinal);
            Assert.DoesNotContain(Server.ModelKey, await File.ReadAllTextAsync($"/proc/{process.Pid}/cmdline", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    private static bool Holds(AshEvent e, string word) => e.Data.Span.IndexOf(Encoding.UTF8.GetBytes(word)) >= 0;

    /// <summary>The words as the search takes them.</summary>
    internal static string Halves(params (string Name, string Word)[] words) =>
        "[" + string.Join(',', words.Select(word => $"('{word.Name}','{word.Word[..10]}','{word.Word[10..]}')")) + "]";

    /// <summary>Names of the words that are in any file of the data folder: database and its log, blobs, homes, transcripts, logs.</summary>
    private List<string> WordsInDataFolder(params (string Name, string Word)[] words) => WordsIn(Server.DataDirectory, words);

    internal static List<string> WordsIn(string folder, params (string Name, string Word)[] words)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        foreach (var path in Directory.EnumerateFiles(folder, "*", options))
        {
            // An empty one holds no word; and pipes, which agents leave in their workspaces, are empty and would never open.
            if (path.EndsWith("/lock", StringComparison.Ordinal) || new FileInfo(path).Length == 0)
            {
                continue;
            }

            byte[] bytes;
            using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
            {
                bytes = new byte[file.Length];
                file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            }

            found.UnionWith(words.Where(word => bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(word.Word)) >= 0).Select(word => word.Name));
        }

        return [.. found];
    }
}
