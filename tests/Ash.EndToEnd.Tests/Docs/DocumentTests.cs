using System.Diagnostics;
using System.Text.RegularExpressions;
using Ash.EndToEnd.Tests.CommandLine;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Docs;

/// <summary>What the documents say can be done is done, word for word but for the ports.</summary>
public sealed partial class DocumentTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/guides/deploy-an-agent.md")]
    [InlineData("docs/guides/stream-and-resume.md")]
    [InlineData("docs/guides/files.md")]
    [InlineData("docs/guides/test-without-a-key.md")]
    [InlineData("docs/guides/operate-one-box.md")]
    [InlineData("docs/guides/keys-and-credentials.md")]
    [InlineData("docs/guides/observability.md")]
    [InlineData("docs/guides/postgres.md")]
    [InlineData("examples/hello-agent/README.md")]
    [InlineData("examples/research-agent/README.md")]
    public async Task Commands_DoWhatTheDocumentSays(string document)
    {
        var port = AshServer.FreePort();
        var script = DocumentScript.Read(Path.Combine(TestPaths.Root, document), port);
        Assert.NotEqual(0, script.Count);
        using var home = new AshHome();
        home.UsePublishedPrograms();
        home.Environment["ASH_PORT"] = $"{port}";
        home.Environment["ASH_SERVER_URL"] = $"http://localhost:{port}";
        home.Environment["PATH"] = $"{Path.GetDirectoryName(TestPaths.Ash)}:{Environment.GetEnvironmentVariable("PATH")}";

        try
        {
            var (exitCode, output, error) = await RunAsync(script.ToShell(), home);

            Assert.True(exitCode == 0, $"A command exited with {exitCode}.\n{output}\n{error}");
            script.Check(output);
        }
        finally
        {
            await home.RunAsync("stop");
        }
    }

    [Fact]
    public void Places_ThatDocumentsName_Exist()
    {
        var missing = Documents()
            .SelectMany(document => PlacesIn(document).Select(place => (document, place)))
            .Where(named => !Path.Exists(named.place))
            .Select(named => $"{Path.GetRelativePath(TestPaths.Root, named.document)}: {Path.GetRelativePath(TestPaths.Root, named.place)}")
            .ToList();

        Assert.Empty(missing);
    }

    private static IEnumerable<string> Documents() =>
    [
        .. Directory.EnumerateFiles(TestPaths.Root, "*.md"),
        .. Directory.EnumerateFiles(Path.Combine(TestPaths.Root, "docs"), "*.md", SearchOption.AllDirectories),
        .. Directory.EnumerateFiles(Path.Combine(TestPaths.Root, "examples"), "README.md", SearchOption.AllDirectories),
    ];

    /// <summary>Relative links, and files of the repository in code type.</summary>
    private static IEnumerable<string> PlacesIn(string document)
    {
        var text = File.ReadAllText(document);
        var folder = Path.GetDirectoryName(document)!; // A file is in a folder.
        var linked = Links().Matches(text).Select(match => Path.GetFullPath(match.Groups[1].Value, folder));
        var named = Names().Matches(text).Select(match => Path.GetFullPath(match.Groups[1].Value, TestPaths.Root));
        return linked.Concat(named);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string shell, AshHome home)
    {
        // Not from standard input, which the commands have.
        var file = Path.Combine(home.Folder, "document.sh");
        await File.WriteAllTextAsync(file, shell);
        var start = new ProcessStartInfo("bash", [file])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = TestPaths.Root,
        };
        home.Apply(start.Environment);
        using var process = Process.Start(start)!; // A program, not a document: there is a process.
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(Patience);
        return (process.ExitCode, await output, await error);
    }

    [GeneratedRegex(@"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")]
    private static partial Regex Links();

    [GeneratedRegex(@"`((?:src|tests|eng|docs|examples)/[\w./-]+)`")]
    private static partial Regex Names();
}
