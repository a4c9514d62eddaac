using Ash.Client.Tests.Scripted;

namespace Ash.Cli.Tests.Links;

public sealed class LinkTests
{
    [Fact]
    public async Task Link_KeepsTheLocalKey_AndUnlinkBringsItBack()
    {
        using var home = new TestHome();
        home.Write(".ash/config.json", """{"api_key":"local","theme":"dark"}""");

        await home.RunAsync("link", "https://ash.example/", "--api-key", "remote");
        await home.RunAsync("link", "https://other.example", "--api-key", "other");

        Assert.Equal(
            ("https://other.example", "other", "local", "dark"),
            (home.Config("server_url"), home.Config("api_key"), home.Config("local_api_key"), home.Config("theme")));

        var run = await home.RunAsync("unlink");

        Assert.Equal(("", "local", ""), (home.Config("server_url"), home.Config("api_key"), home.Config("local_api_key")));
        Assert.Equal("Unlinked from https://other.example\nCLI will now target http://localhost:4100\n", run.Out);
    }

    [Fact]
    public async Task Unlink_SaysSo_WhereNothingIsLinked()
    {
        using var home = new TestHome();

        Assert.StartsWith("No remote server was linked.", (await home.RunAsync("unlink")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configuration_IsForItsOwnerOnly()
    {
        using var home = new TestHome();

        await home.RunAsync("link", "http://x.example", "--api-key", "k");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(home.ConfigFile));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(Path.Combine(home.Folder, ".ash")));
        Assert.Single(Directory.GetFiles(Path.Combine(home.Folder, ".ash")));
    }

    [Fact]
    public async Task MalformedConfiguration_IsNamed()
    {
        using var home = new TestHome();
        home.Write(".ash/config.json", "{");

        var run = await home.RunAsync("health");

        Assert.Equal(ExitCodes.Failed, run.ExitCode);
        Assert.Contains(home.ConfigFile, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServerAndKey_ComeFromOption_ThenEnvironment_ThenConfiguration()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/agents", """{"agents":[]}""");
        using var home = new TestHome();
        home.Write(".ash/config.json", $$"""{"server_url":"{{api.Url}}","api_key":"config"}""");

        await home.RunAsync("agent", "list");
        home.Environment["ASH_API_KEY"] = "environment";
        await home.RunAsync("agent", "list");
        await home.RunAsync("agent", "list", "--api-key", "option");
        home.Environment["ASH_SERVER_URL"] = "http://127.0.0.1:1";
        var elsewhere = await home.RunAsync("agent", "list");
        await home.RunAsync("--server", $"{api.Url}", "agent", "list");

        Assert.Equal(ExitCodes.NoServer, elsewhere.ExitCode);
        Assert.Equal(
            ["Bearer config", "Bearer environment", "Bearer option", "Bearer environment"],
            api.Requests.Select(request => request.Authorization));
    }

    [Fact]
    public async Task FirstKeyOfThisMachine_IsTaken_WhereThereIsNoOther()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/agents", """{"agents":[]}""");
        using var home = new TestHome();
        var key = home.Write("data/initial-api-key", "fresh\n");
        home.Environment["ASH_DATA_DIR"] = Path.Combine(home.Folder, "data");
        home.Environment["ASH_SERVER_URL"] = $"{api.Url}";

        await home.RunAsync("agent", "list");

        Assert.Equal("Bearer fresh", Assert.Single(api.Requests).Authorization);
        Assert.Equal("fresh", home.Config("api_key"));
        Assert.False(File.Exists(key));
    }
}
