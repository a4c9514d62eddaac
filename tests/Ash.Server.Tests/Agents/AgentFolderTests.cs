using System.Diagnostics;
using Ash.Protocol.Api;
using Ash.Server.Agents;
using Ash.Server.Storage;
using CsCheck;

namespace Ash.Server.Tests.Agents;

/// <summary>What a client may send as an agent's folder, and what is refused with nothing written outside.</summary>
public sealed class AgentFolderTests : IDisposable
{
    private readonly string _top = Directory.CreateTempSubdirectory("ash-folder-").FullName;
    private readonly AgentFolder _folder;

    public AgentFolderTests() => _folder = new AgentFolder(Path.Combine(_top, "tmp"));

    public void Dispose()
    {
        _folder.Dispose();
        Directory.Delete(_top, recursive: true);
    }

    [Theory]
    [InlineData("../CLAUDE.md", "must be relative and must not leave the folder")]
    [InlineData("a/../../b", "must be relative and must not leave the folder")]
    [InlineData("a/..", "must be relative and must not leave the folder")]
    [InlineData("/etc/cron.d/x", "must be relative and must not leave the folder")]
    [InlineData("./CLAUDE.md", "must be relative and must not leave the folder")]
    [InlineData("a//b", "must be relative and must not leave the folder")]
    [InlineData("a/", "must be relative and must not leave the folder")]
    [InlineData("..\\x", "must not hold backslashes or control characters")]
    [InlineData("a\0b", "must not hold backslashes or control characters")]
    [InlineData("a\nb", "must not hold backslashes or control characters")]
    [InlineData("", "must have 1 to 1024 characters")]
    public void Path_IsRefused_WhereItIsNotAPlainOneBeneath(string path, string reason)
    {
        Assert.Equal($"files: the path \"{path}\" {reason}", _folder.Add([File(path)]));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
        Assert.Equal(["tmp"], Directory.GetFileSystemEntries(_top).Select(Path.GetFileName));
    }

    [Fact]
    public void AnyPath_StaysBeneath_OrIsRefused()
    {
        string[] words = ["..", ".", "", "a", "b", "CLAUDE.md", "\\", "é", "x y", "-", "..."];
        Gen.Int[0, words.Length - 1].Select(n => words[n]).Array[1, 6].Sample(parts =>
        {
            using var folder = new AgentFolder(Path.Combine(_top, "tmp"));
            var reason = folder.Add([File(string.Join('/', parts))]);

            var written = Directory.GetFiles(_top, "*", SearchOption.AllDirectories);
            Assert.Equal(reason is null ? 1 : 0, written.Length);
            Assert.All(written, path => Assert.StartsWith(folder.Path + "/", path, StringComparison.Ordinal));
        }, threads: 1, iter: 500);
    }

    [Fact]
    public void TheSamePathTwice_IsRefused() =>
        Assert.Equal("files: the path \"a\" stands there twice", _folder.Add([File("a"), File("a")]));

    [Theory]
    [InlineData("a", "a/b")]
    [InlineData("a/b", "a")]
    public void AFileInTheWayOfAFolder_IsRefused(string first, string second) =>
        Assert.StartsWith($"files: \"{second}\" clashes with", _folder.Add([File(first), File(second)]), StringComparison.Ordinal);

    [Theory]
    [InlineData("a", 256)]
    [InlineData("é", 128)]
    [InlineData("日本", 43)]
    public void ANameThatIsTooLong_IsRefused(string text, int times)
    {
        var path = string.Concat(Enumerable.Repeat(text, times));

        Assert.Equal($"files: the path \"{path}\" must have names of at most 255 bytes", _folder.Add([File(path)]));
    }

    [Fact]
    public void AFailureToWrite_IsNoFaultOfTheFiles()
    {
        Directory.Delete(_folder.Path);

        Assert.Throws<StoreException>(() => _folder.Add([File("a")]));
        Assert.Throws<StoreException>(() => Copy(Source(("CLAUDE.md", "x"))));
    }

    [Fact]
    public void ContentThatIsNotBase64_IsRefused() =>
        Assert.Equal("files: the content of \"a\" is not base64", _folder.Add([new AgentFile("a", "not*base64")]));

    [Fact]
    public void TooManyFiles_AreRefused() =>
        Assert.Equal("an agent may have at most 10000 files", _folder.Add([.. Enumerable.Range(0, 10_001).Select(n => new AgentFile($"f{n}", ""))]));

    [Fact]
    public void TooManyBytes_AreRefused()
    {
        // One array stands for many files: it is the sum that counts.
        var large = Convert.ToBase64String(new byte[33 * 1024 * 1024]);

        Assert.Equal(
            "an agent may have at most 268435456 bytes",
            _folder.Add([.. Enumerable.Range(0, 8).Select(n => new AgentFile($"f{n}", large))]));
    }

    [Theory]
    [InlineData("CLAUDE.md/x", "CLAUDE.md must be a file")]
    [InlineData("ash.json/x", "ash.json must be a file")]
    [InlineData(".mcp.json/x", ".mcp.json must be a file")]
    [InlineData(".claude", ".claude must be a folder")]
    public void ANameWithAMeaning_OfTheWrongKind_IsRefused(string path, string reason)
    {
        Assert.Null(_folder.Add([File(path)]));
        _folder.AddPrompt("prompt");

        Assert.Equal(reason, _folder.WrongKind());
    }

    [Fact]
    public void ThePrompt_IsTheFiles_UnlessThereIsNone()
    {
        Assert.False(_folder.HasPrompt);
        _folder.AddPrompt("first");
        _folder.AddPrompt("second");

        Assert.True(_folder.HasPrompt);
        Assert.Equal("first", System.IO.File.ReadAllText(Path.Combine(_folder.Path, "CLAUDE.md")));
    }

    [Fact]
    public void WhatIsWritten_CanBeReadByEverybody_AndExecutedWhereItWasAsked()
    {
        Assert.Null(_folder.Add([File(".claude/hooks/run.sh") with { Executable = true }, File(".claude/settings.json")]));

        Assert.Equal(0b111_101_101, ModeOf(""));
        Assert.Equal(0b111_101_101, ModeOf(".claude/hooks"));
        Assert.Equal(0b111_101_101, ModeOf(".claude/hooks/run.sh"));
        Assert.Equal(0b110_100_100, ModeOf(".claude/settings.json"));
    }

    [Fact]
    public void Hash_IsThatOfNamesBitsAndContents_WhateverTheOrder()
    {
        var files = new[] { File("CLAUDE.md", "x"), File("a/b", "y"), File("c", "z") with { Executable = true } };

        var hash = HashOf(files);

        Assert.Equal(hash, HashOf([.. files.Reverse()]));
        Assert.Equal(64, hash.Length);
        AgentFile[][] others =
        [
            [files[0], files[1], files[2] with { Executable = false }],
            [files[0], files[1], files[2] with { Path = "d" }],
            [files[0], files[1], File("c", "other") with { Executable = true }],
            [files[0], File("ab", "y"), files[2]],
            [files[0], files[1]],
        ];
        Assert.Equal(others.Length + 1, others.Select(HashOf).Append(hash).Distinct().Count());
    }

    [Fact]
    public void AFolderOfThisMachine_IsCopied_WithoutWhatIsNoPartOfAnAgent()
    {
        var source = Source(("CLAUDE.md", "x"), ("node_modules/m/index.js", "x"), (".git/config", "x"), (".claude/settings.json", "{}"), (".hidden", "x"), (".env", "KEY=secret"), ("app.env.local", "x"), ("x.pid", "1"));

        Assert.Null(Copy(source));

        Assert.Equal(
            [".claude/settings.json", ".hidden", "CLAUDE.md"],
            Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(_folder.Path, path)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("file", "ln -s /etc/shadow")]
    [InlineData("dir", "ln -s /etc")]
    [InlineData("gone", "ln -s /nowhere/at/all")]
    public async Task ALink_IsRefused_WhereverItLeads(string name, string command)
    {
        var source = Source(("CLAUDE.md", "x"));
        await RunAsync($"{command} {source}/{name}");

        Assert.Equal($"path: {name} is a symbolic link; an agent folder holds files and folders only", Copy(source));
        Assert.DoesNotContain(name, Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task ALinkInPlaceOfAFolder_IsNotFollowed_WhereItIsPutThereMeanwhile()
    {
        var source = Source(("CLAUDE.md", "x"));
        using var opened = DeploySource.Open(source, Directory.CreateDirectory(Path.Combine(_top, "data")).FullName, roots: null, out _);
        await RunAsync($"mv {source} {_top}/checked && ln -s /etc {source}");

        Assert.Null(_folder.Copy(opened!)); // The folder was there to be opened.
        Assert.Equal(["CLAUDE.md"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("mkfifo")]
    [InlineData("python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'")]
    public async Task APipeOrSocket_IsRefused_AndNotWaitedFor(string command)
    {
        var source = Source(("CLAUDE.md", "x"));
        await RunAsync($"{command} {source}/odd");

        Assert.Equal("path: odd is neither a file nor a folder", Copy(source));
    }

    [Fact]
    public async Task ADevice_IsRefused()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root makes devices.");
        var source = Source(("CLAUDE.md", "x"));
        await RunAsync($"mknod {source}/odd c 1 5");

        Assert.Equal("path: odd is neither a file nor a folder", Copy(source));
    }

    [Fact]
    public void Disposal_LeavesNothing()
    {
        _folder.Add([File("a/b/c")]);
        _folder.Dispose();

        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_top, "tmp")));
    }

    private string? Copy(string source)
    {
        using var opened = DeploySource.Open(source, Directory.CreateDirectory(Path.Combine(_top, "data")).FullName, roots: null, out var problem);
        return opened is null ? problem!.Message : _folder.Copy(opened); // There is one or the other.
    }

    private int ModeOf(string relative) => (int)System.IO.File.GetUnixFileMode(Path.Combine(_folder.Path, relative));

    private string HashOf(AgentFile[] files)
    {
        using var folder = new AgentFolder(Path.Combine(_top, "tmp"));
        Assert.Null(folder.Add(files));
        return folder.Hash();
    }

    private string Source(params (string Path, string Content)[] files)
    {
        var source = Directory.CreateDirectory(Path.Combine(_top, "source")).FullName;
        foreach (var (path, content) in files)
        {
            var target = Path.Combine(source, path);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!); // it is beneath the source
            System.IO.File.WriteAllText(target, content);
        }

        return source;
    }

    private static AgentFile File(string path, string content = "x") =>
        new(path, Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(content)));

    private static async Task RunAsync(string command)
    {
        using var shell = Process.Start("sh", ["-c", command]);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, shell.ExitCode);
    }
}
