using Ash.Server.Agents;

namespace Ash.Server.Tests.Agents;

/// <summary>Which folders of its machine a server reads for whoever may deploy.</summary>
public sealed class DeploySourceTests : IDisposable
{
    private readonly string _top = Directory.CreateTempSubdirectory("ash-source-").FullName;

    public DeploySourceTests()
    {
        foreach (var folder in (string[])["data/keys", "allowed/agent", "allowed2", "other/agent"])
        {
            Directory.CreateDirectory(In(folder));
        }

        File.CreateSymbolicLink(In("link"), In("allowed"));
        File.CreateSymbolicLink(In("allowed/out"), In("other/agent"));
        File.CreateSymbolicLink(In("other/in"), In("allowed/agent"));
        File.CreateSymbolicLink(In("keys"), In("data/keys"));
    }

    public void Dispose() => Directory.Delete(_top, recursive: true);

    [Theory]
    [InlineData("data")]
    [InlineData("data/")]
    [InlineData("data/keys")]
    [InlineData("")]
    [InlineData("../..")]
    [InlineData("keys")]
    [InlineData("other/../data/keys")]
    public void TheServersOwnFolder_IsNotRead_ByWhateverName(string path) =>
        Assert.Equal(("invalid_request", "path must not lead to the server's own data folder"), Refusal(In(path), roots: null));

    [Theory]
    [InlineData("relative/folder", "path must be absolute")]
    [InlineData("/nowhere/at/all", "path: there is no folder at /nowhere/at/all on the server's machine")]
    public void APathThatLeadsNowhere_IsRefused(string path, string reason) =>
        Assert.Equal(("invalid_request", reason), Refusal(path, roots: null));

    [Theory]
    [InlineData("/proc")]
    [InlineData("/proc/self")]
    [InlineData("/sys/kernel")]
    [InlineData("/dev")]
    [InlineData("/tmp/../proc/1")]
    public void WhatTheKernelMakesUp_IsNotRead(string path) =>
        Assert.Equal(("path_not_allowed", "path must not lead to /proc, /sys or /dev"), Refusal(path, roots: null));

    [Theory]
    [InlineData("allowed/agent")]
    [InlineData("allowed")]
    [InlineData("other/in")]
    [InlineData("link/agent")]
    public void FolderBelowARoot_IsRead_ByWhateverName(string path) =>
        Assert.Null(Refusal(In(path), [In("link"), In("nowhere")]));

    [Theory]
    [InlineData("allowed2")]
    [InlineData("allowed/..")]
    [InlineData("allowed/out")]
    [InlineData("other/agent")]
    [InlineData("data/keys")]
    [InlineData("nowhere")]
    public void AnyOtherFolder_IsRefused_AndNotSaidToBeThereOrNot(string path)
    {
        var refusal = Refusal(In(path), [In("allowed")]);

        Assert.Equal("path_not_allowed", refusal?.Code);
        Assert.Equal(
            $"path: {In(path)} is in none of the folders that this server deploys from (ASH_DEPLOY_ROOTS); send its files, as ash deploy does",
            refusal?.Message);
    }

    [Fact]
    public void EveryFolder_IsRefused_WhereThatIsTurnedOff() =>
        Assert.Equal(
            ("path_not_allowed", "this server deploys from none of its own folders (ASH_DEPLOY_ROOTS=none); send the files, as ash deploy does"),
            Refusal(In("allowed"), []));

    private string In(string path) => path.Length == 0 ? _top : Path.Combine(_top, path);

    private (string Code, string Message)? Refusal(string path, string[]? roots)
    {
        using var opened = DeploySource.Open(path, In("data"), roots, out var problem);
        Assert.NotEqual(opened is null, problem is null);
        return problem is null ? null : (problem.Code, problem.Message);
    }
}
