namespace Ash.Cli.Tests.Configuration;

/// <summary><c>ash config …</c>, and commands of the reference's hosted service.</summary>
public sealed class ConfigTests : IDisposable
{
    private readonly TestHome _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Values_AreSet_Shown_AndUnset()
    {
        Assert.Equal(0, (await _home.RunAsync("config", "set", "server_url", "https://ash.example/")).ExitCode);
        await _home.RunAsync(["config", "set", "api_key", "-"], input: "secret\n", cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("https://ash.example\n", (await _home.RunAsync("config", "get", "server_url")).Out);
        Assert.Equal("secret\n", (await _home.RunAsync("config", "get", "api_key")).Out);
        Assert.Equal(
            $"File:    {_home.ConfigFile}\nServer:  https://ash.example\nAPI key: set\n", (await _home.RunAsync("config", "show")).Out);

        await _home.RunAsync("config", "unset", "api_key");
        Assert.Equal(ExitCodes.Failed, (await _home.RunAsync("config", "get", "api_key")).ExitCode);
        Assert.Contains("\"apiKey\":false", (await _home.RunAsync("config", "show", "--json")).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("set", "server_url", "nonsense")]
    [InlineData("set", "colour", "red")]
    [InlineData("set", "api_key", " ")]
    public async Task WhatMakesNoSense_IsNotWritten(params string[] args)
    {
        Assert.Equal(ExitCodes.Usage, (await _home.RunAsync(["config", .. args])).ExitCode);
        Assert.False(File.Exists(_home.ConfigFile));
    }

    [Theory]
    [InlineData("login", "ash link URL --api-key KEY")]
    [InlineData("logout", "ash unlink")]
    public async Task CommandsOfTheHostedService_SayWhatToDoInstead(string command, string hint)
    {
        var run = await _home.RunAsync(command, "--cloud-url", "https://x.example");

        Assert.Equal(ExitCodes.Usage, run.ExitCode);
        Assert.Contains(hint, run.Error, StringComparison.Ordinal);
    }
}
