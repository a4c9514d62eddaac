using Ash.Server.Http;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>Which part of all sessions a list shows.</summary>
/// <param name="Agent">Only those of the agent of this name; null for all.</param>
/// <param name="Status">Only those that stand so; null for all.</param>
/// <param name="Part">Of those, the newest first.</param>
internal readonly record struct SessionPage(string? Agent, SessionStatus? Status, ListPage Part)
{
    private static readonly Dictionary<string, SessionStatus> Statuses = Enum.GetValues<SessionStatus>().ToDictionary(SessionView.Name);

    public static Problem? Check(string? agent, string? status, IQueryCollection query, out SessionPage page)
    {
        SessionStatus? wanted = null;
        var problem = ListPage.Read(query, out var part);
        if (status is not null)
        {
            wanted = Statuses.TryGetValue(status, out var known) ? known : null;
            problem ??= wanted is null ? Problems.Invalid($"status must be one of {string.Join(", ", Statuses.Keys)}") : null;
        }

        page = new SessionPage(agent, wanted, part);
        return problem;
    }
}
