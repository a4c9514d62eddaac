using Ash.Server.Configuration;
using Ash.Server.Runners;
using CsCheck;

namespace Ash.Server.Tests.Runners;

public sealed class SandboxUidsTests
{
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

    private static ServerSettings Settings(int? uidBase) =>
        SettingsLoader.Load([], new Dictionary<string, string?>(), out _) with { SandboxUidBase = uidBase };
}
