using System.Diagnostics;

namespace Ash.Cli.Tests.Completion;

/// <summary><c>ash completion</c>.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TestHome _home = new();

    public void Dispose() => _home.Dispose();

    [Theory]
    [InlineData("st", "start\nstatus\nstop\n")]
    [InlineData("session|fo", "fork\n")]
    [InlineData("session|list|--st", "--status\n")]
    [InlineData("session|list|--status|pa", "paused\n")]
    [InlineData("agent|prompt|a", "activate\n")]
    [InlineData("completion|", "bash\nfish\nzsh\n")]
    [InlineData("session|exec|x|--|l", "")]
    [InlineData("logi", "")]
    public async Task Words_BecomeCommandsOptionsAndValues(string words, string offered)
    {
        var run = await _home.RunAsync(["__complete", .. words.Split('|')]);

        Assert.Equal(offered, string.Concat(run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order().Select(line => line + "\n")));
    }

    [Fact]
    public async Task Options_AreOfferedOnlyWhereAHyphenAsksForThem()
    {
        Assert.DoesNotContain("-", (await _home.RunAsync("__complete", "agent", "prompt", "")).Out, StringComparison.Ordinal);
        Assert.Contains("--prompt-file\n", (await _home.RunAsync("__complete", "agent", "prompt", "create", "-")).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ash session for", "fork")]
    [InlineData("ash session list --sta", "--status")]
    [InlineData("ash deploy ./gree", "./greeter")]
    public async Task BashScript_Completes(string line, string completed)
    {
        var script = _home.Write("ash.bash", (await _home.RunAsync("completion", "bash")).Out);
        Directory.CreateDirectory(Path.Combine(_home.Folder, "greeter"));
        var words = line.Split(' ');

        // What bash does when the Tab key is pressed. The stand-in offers what this program offers.
        var offered = (await _home.RunAsync(["__complete", .. words[1..]])).Out;
        var answers = _home.Write("answers", offered);
        var test = _home.Write("test.bash", $$"""
            ash() { [[ $1 == __complete && "${*:2}" == '{{string.Join(' ', words[1..])}}' ]] && cat '{{answers}}'; }
            source '{{script}}'
            complete -p ash > /dev/null || exit 9
            COMP_WORDS=({{line}}); COMP_CWORD={{words.Length - 1}}
            _ash_complete
            printf '%s\n' "${COMPREPLY[@]}"
            """);

        Assert.Equal($"{completed}\n", await RunAsync("bash", "--norc", test));
    }

    [Theory]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task OtherShells_HaveTheirScripts(string shell)
    {
        var run = await _home.RunAsync("completion", shell);

        Assert.Contains($"Completion of ash for {shell}", run.Out, StringComparison.Ordinal);
        Assert.Contains("__complete", run.Out, StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true, WorkingDirectory = _home.Folder,
        })!; // A program, not a document: there is a process.
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
