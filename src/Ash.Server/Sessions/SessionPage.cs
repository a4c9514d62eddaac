using Ash.Server.Http;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>Which part of all sessions a list shows.</summary>
/// <param name="Agent">Only those of the agent of this name; null for all.</param>
/// <param name="Status">Only those that stand so; null for all.</param>
/// <param name="Offset">So many of the newest are left out.</param>
/// <param name="Limit">At most so many.</param>
/// <param name="WantsTotal">Whether the list says how many there are without offset and limit.</param>
internal readonly record struct SessionPage(string? Agent, SessionStatus? Status, int Offset, int Limit, bool WantsTotal)
{
    private const int MaxLimit = 1000;

    private static readonly Dictionary<string, SessionStatus> Statuses = Enum.GetValues<SessionStatus>().ToDictionary(SessionView.Name);

    /// <remarks>Without a limit it is all of them: clients of the reference product know no pages.</remarks>
    public static Problem? Check(
        string? agent, string? status, string? limit, string? offset, string? includeTotal, out SessionPage page)
    {
        var (most, first) = ((long)int.MaxValue, 0L);
        SessionStatus? wanted = null;
        var problem = QueryNumber.Read(limit, "limit", 1, MaxLimit, ref most)
            ?? QueryNumber.Read(offset, "offset", 0, null, ref first)
            ?? (includeTotal is null or "true" or "false" ? null : Problems.Invalid("includeTotal must be true or false"));
        if (status is not null)
        {
            wanted = Statuses.TryGetValue(status, out var known) ? known : null;
            problem ??= wanted is null ? Problems.Invalid($"status must be one of {string.Join(", ", Statuses.Keys)}") : null;
        }

        page = new SessionPage(agent, wanted, (int)Math.Min(first, int.MaxValue), (int)most, includeTotal == "true");
        return problem;
    }
}
