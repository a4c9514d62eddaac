using Ash.Runner.Sandboxes;
using Ash.Server.Configuration;
using Ash.Server.Runners;
using Ash.Server.Storage;
using CsCheck;

namespace Ash.Server.Tests.Runners;

public sealed class SandboxUidsTests
{
    private readonly List<SessionRecord> _sessions = [];
    private readonly List<SandboxRecord> _sandboxes = [];

    private static readonly Gen<string> ServerId = Gen.Char["abcdefghijklmnopqrstuvwxyz"].Array[8].Select(letters => new string(letters));

    [Fact]
    public void Block_LiesInTheRange_AndOnAWholeBlock() => ServerId.Sample(id =>
    {
        var first = SandboxUids.Of(Settings(null), id).First;
        return first >= SandboxUids.Lowest
            && (long)first + SandboxUids.BlockSize <= SandboxUids.Lowest + ((long)SandboxUids.Blocks * SandboxUids.BlockSize)
            && (first - SandboxUids.Lowest) % SandboxUids.BlockSize == 0;
    });

    [Fact]
    public void Block_StaysTheSame_ForOneFolder() => Assert.Equal(1_901_200_000, SandboxUids.Of(Settings(null), "abcdefgh").First);

    [Fact]
    public void TwoFolders_RarelyShareABlock()
    {
        var blocks = Enumerable.Range(0, 1_000).Select(n => SandboxUids.Of(Settings(null), $"folder{n}").First).Distinct().Count();

        // A thousand drawn from two thousand: about 787 different ones.
        Assert.InRange(blocks, 700, 1_000);
    }

    [Fact]
    public void ChosenBase_IsTakenAsItIs() => Assert.Equal(123_456, SandboxUids.Of(Settings(123_456), "abcdefgh").First);

    [Fact]
    public void Uids_GoRoundTheBlock_AndPassOverWhatIsTaken()
    {
        var uids = new SandboxUids(first: 100, size: 5);
        Assert.Equal([100, 101, 102, 103], Enumerable.Range(0, 4).Select(_ => TakeAndKeep(uids)));

        _sessions.RemoveAll(session => session.Uid is 100 or 102);
        Assert.Equal([104, 100, 102], Enumerable.Range(0, 3).Select(_ => TakeAndKeep(uids)));

        var full = Assert.Throws<SandboxException>(() => TakeAndKeep(uids));
        Assert.Contains("purge", full.Message, StringComparison.Ordinal);
        _sessions.RemoveAll(session => session.Uid == 104);
        Assert.Equal(104, TakeAndKeep(uids));
    }

    [Fact]
    public void Uids_GoOnBehindWhatIsStored_AfterARestart()
    {
        TakeAndKeep(new SandboxUids(first: 100));
        Assert.Equal(101, TakeAndKeep(new SandboxUids(first: 100)));

        // Another base was chosen meanwhile.
        Assert.Equal(50, TakeAndKeep(new SandboxUids(first: 50, size: 5)));
        Assert.Equal(200, TakeAndKeep(new SandboxUids(first: 200)));
    }

    [Fact]
    public void Uids_PassOverSandboxesThatWaitForASession()
    {
        _sandboxes.AddRange(from uid in (int[])[100, 101, 103] select new SandboxRecord { Id = $"{uid}", TokenHash = [], Uid = uid });
        var uids = new SandboxUids(first: 100, size: 5);

        Assert.Equal([102, 104], Enumerable.Range(0, 2).Select(_ => TakeAndKeep(uids)));
        Assert.Throws<SandboxException>(() => TakeAndKeep(uids));
    }

    private int TakeAndKeep(SandboxUids uids)
    {
        var uid = uids.Take(_sessions.AsQueryable(), _sandboxes.AsQueryable());
        _sessions.Add(new SessionRecord
        {
            TenantId = "default",
            AgentName = "echo",
            ContentHash = "0",
            PermissionMode = "default",
            Isolation = "full",
            Uid = uid,
        });
        return uid;
    }

    private static ServerSettings Settings(int? uidBase) =>
        SettingsLoader.Load([], new Dictionary<string, string?>(), out _) with { SandboxUidBase = uidBase };
}
