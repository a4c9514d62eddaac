namespace Ash.Cli.Tests;

public sealed class UsageTests
{
    [Theory]
    [InlineData("bogus")]
    [InlineData("agent")]
    [InlineData("session", "get")]
    [InlineData("session", "get", "no-uuid")]
    [InlineData("session", "send", "019a0000-0000-7000-8000-000000000001")]
    [InlineData("session", "send", "019a0000-0000-7000-8000-000000000001", " ")]
    [InlineData("session", "create", "a", "-e", "NOVALUE")]
    [InlineData("start", "--port", "x")]
    [InlineData("health", "--server", "localhost:4100")]
    [InlineData("link", "nonsense")]
    public async Task CommandLineThatMakesNoSense_Exits2_AndSaysWhy(params string[] args)
    {
        using var home = new TestHome();

        var run = await home.RunAsync(args);

        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.NotEmpty(run.Error);
        Assert.Empty(run.Out);
    }

    [Fact]
    public async Task UnknownCommand_IsNamed_AndNothingElse()
    {
        using var home = new TestHome();

        var run = await home.RunAsync("sesion", "list");

        Assert.Equal("Unknown command or argument: sesion\nUsage: ash --help\n", run.Error);
    }

    [Theory]
    [InlineData]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("session", "send", "--help")]
    public async Task HelpAndVersion_Exit0(params string[] args)
    {
        using var home = new TestHome();

        var run = await home.RunAsync(args);

        Assert.Equal((ExitCodes.Ok, ""), (run.ExitCode, run.Error));
        Assert.NotEmpty(run.Out);
    }

    [Fact]
    public async Task NoServer_Exits5_AndNamesTheRemedy()
    {
        using var home = new TestHome();

        var run = await home.RunAsync("health", "--server", "http://127.0.0.1:1");

        Assert.Equal(ExitCodes.NoServer, run.ExitCode);
        Assert.Equal("No Ash server answers at http://127.0.0.1:1. Start one with: ash start", run.Error.Trim());
    }

    [Fact]
    public async Task Failure_IsOneLineOfJson_ForPrograms()
    {
        using var home = new TestHome();

        var run = await home.RunAsync("--json", "health", "--server", "http://127.0.0.1:1");

        Assert.StartsWith("{\"error\":\"No Ash server answers", Assert.Single(run.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Contains("\"exitCode\":5", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Simulate_BecomesTheServer_WithAllItsArguments()
    {
        using var home = new TestHome();
        home.ProgramFolder = Path.GetDirectoryName(home.Write("bin/ash-server"))!; // It was just written there.

        var run = await home.RunAsync("simulate", "--port", "0", "--json", "--help");

        Assert.Equal(42, run.ExitCode);
        Assert.Equal(["simulate", "--port", "0", "--json", "--help"], Assert.Single(home.Became).Arguments);
    }
}
