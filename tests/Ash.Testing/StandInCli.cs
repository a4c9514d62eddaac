using System.Security.Cryptography;

namespace Ash.Testing;

/// <summary>What makes a server start the stand-in in the CLI's place.</summary>
public static class StandInCli
{
    public static IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["CLAUDE_CODE_EXECUTABLE"] = TestPaths.StandIn,
        ["ASH_CLI_SHA256"] = Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(TestPaths.StandIn))),

        // It takes a hundredth of the CLI's memory, which the server would leave room for.
        ["ASH_MEMORY_RESERVE_MB"] = "0",
    };
}
