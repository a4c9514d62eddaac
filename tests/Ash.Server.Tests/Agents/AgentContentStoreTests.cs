using Ash.Runner.Kernel;
using Ash.Runner.Sandboxes;
using Ash.Server.Agents;

namespace Ash.Server.Tests.Agents;

/// <summary>Deployed folders: whole under their hash, or not there.</summary>
public sealed class AgentContentStoreTests : IDisposable
{
    private readonly string _top = Directory.CreateTempSubdirectory("ash-contents-").FullName;
    private readonly AgentContentStore _store;

    public AgentContentStoreTests() => _store = new AgentContentStore(Path.Combine(_top, "agents"), Path.Combine(_top, "tmp"));

    public void Dispose() => Directory.Delete(_top, recursive: true);

    [Fact]
    public void RemovedContent_IsMovedAway_BeforeItIsTakenApart()
    {
        Adopt("h");
        using var folder = Libc.Open(_store.PathOf("h"), Libc.OpenPath | Libc.OpenDirectory | Libc.OpenCloseOnExec, 0);

        _store.Remove("h");

        Assert.StartsWith(Path.Combine(_top, "tmp") + "/", new FileInfo($"/proc/self/fd/{folder.DangerousGetHandle()}").LinkTarget, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_top, "tmp")));
        Assert.False(Directory.Exists(_store.PathOf("h")));
    }

    [Fact]
    public void ContentThatIsGone_IsNotOpened_AndIsOpenedOnceItIsThereAgain()
    {
        Assert.Throws<SandboxException>(() => _store.Open("h"));
        Directory.CreateDirectory(_store.PathOf("h"));
        Assert.Contains("deploy the agent again", Assert.Throws<SandboxException>(() => _store.Open("h")).Message, StringComparison.Ordinal);

        Directory.Delete(_store.PathOf("h"));
        Adopt("h");
        Assert.Equal("default", _store.Open("h").Settings.PermissionMode);
    }

    private void Adopt(string hash)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_top, "tmp", "deploy")).FullName;
        File.WriteAllText(Path.Combine(folder, "CLAUDE.md"), "Hi.");
        File.WriteAllText(Path.Combine(folder, "ash.json"), """{"permissionMode":"default"}""");
        _store.Adopt(folder, hash);
    }
}
