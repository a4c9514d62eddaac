using System.Security.Cryptography;
using System.Text;
using Ash.Server.Configuration;

namespace Ash.Server.Runners;

/// <summary>Which host users sandboxes run as: one a workspace, from <see cref="First"/> on.</summary>
/// <remarks>
/// Servers on one machine know nothing of each other, so each takes a block of its own out of a range that nobody else
/// uses: above what systemd gives to containers (up to 1,879,048,191) and far above Debian's subordinate ranges. Which
/// one follows from the id of its data folder. Two folders have the same block with a chance of one in 2,000;
/// <c>ASH_SANDBOX_UID_BASE</c> chooses by hand.
/// </remarks>
internal sealed record SandboxUids(int First)
{
    public const int Lowest = 1_900_000_000;
    public const int BlockSize = 100_000;
    public const int Blocks = 2_000;

    public static SandboxUids Of(ServerSettings settings, string serverId) => new(settings.SandboxUidBase ?? Lowest + (Block(serverId) * BlockSize));

    private static int Block(string serverId)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(serverId));
        return (int)(BitConverter.ToUInt32(hash) % Blocks);
    }
}
