using System.Security.Cryptography;
using System.Text;
using Ash.Runner.Sandboxes;
using Ash.Server.Configuration;
using Ash.Server.Storage;

namespace Ash.Server.Runners;

/// <summary>Which host users sandboxes run as: one a workspace, from <see cref="First"/> on.</summary>
/// <remarks>
/// Servers on one machine know nothing of each other, so each takes a block of its own out of a range that nobody else
/// uses: above what systemd gives to containers (up to 1,879,048,191) and far above Debian's subordinate ranges. Which
/// one follows from the id of its data folder. Two folders have the same block with a chance of one in 2,000;
/// <c>ASH_SANDBOX_UID_BASE</c> chooses by hand.
/// </remarks>
internal sealed class SandboxUids(int first, int size = SandboxUids.BlockSize)
{
    public const int Lowest = 1_900_000_000;
    public const int BlockSize = 100_000;
    public const int Blocks = 2_000;

    private readonly int _last = first + size - 1;
    private int? _taken;

    public int First => first;

    public static SandboxUids Of(ServerSettings settings, string serverId) => new(settings.SandboxUidBase ?? Lowest + (Block(serverId) * BlockSize));

    /// <summary>The next that no stored session and no waiting sandbox has. Inside the transaction that stores whoever gets it.</summary>
    /// <remarks>Round the block, so that one that was given back is not used again at once.</remarks>
    /// <exception cref="SandboxException">All are taken.</exception>
    public int Take(IQueryable<SessionRecord> sessions, IQueryable<SandboxRecord> sandboxes)
    {
        _taken ??= sessions.Max(session => session.Uid) ?? first - 1;
        _taken = FindFree(Math.Max(_taken.Value + 1, first)) ?? FindFree(first) ?? throw new SandboxException(
            $"All {size} host users of this server belong to sessions; purge ended ones (DELETE /api/sessions/:id?purge=true), or shorten ASH_ENDED_RETENTION.");
        return _taken.Value;

        int? FindFree(int from)
        {
            var free = FindFreeOfSessions(sessions, from);
            while (free is { } uid && sandboxes.Any(sandbox => sandbox.Uid == uid))
            {
                free = FindFreeOfSessions(sessions, uid + 1);
            }

            return free;
        }
    }

    /// <summary>The lowest free one from a number on: this one, or the first behind one that is taken.</summary>
    private int? FindFreeOfSessions(IQueryable<SessionRecord> sessions, int from)
    {
        if (from > _last)
        {
            return null;
        }

        return sessions.Any(session => session.Uid == from)
            ? sessions
                .Where(session => session.Uid >= from && session.Uid < _last && !sessions.Any(next => next.Uid == session.Uid + 1))
                .OrderBy(session => session.Uid)
                .Select(session => session.Uid + 1)
                .FirstOrDefault()
            : from;
    }

    private static int Block(string serverId)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(serverId));
        return (int)(BitConverter.ToUInt32(hash) % Blocks);
    }
}
