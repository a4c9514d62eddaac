using System.Globalization;

namespace Ash.Client;

/// <summary>Where the parts of a session are found.</summary>
internal static class SessionPaths
{
    public const string All = "api/sessions";

    public static string List(string? agent, int? limit, int offset, string? status)
    {
        List<string> query = [];
        if (agent is not null)
        {
            query.Add($"agent={Uri.EscapeDataString(agent)}");
        }

        if (status is not null)
        {
            query.Add($"status={Uri.EscapeDataString(status)}");
        }

        if (limit is { } most)
        {
            query.Add(string.Create(CultureInfo.InvariantCulture, $"limit={most}"));
        }

        if (offset > 0)
        {
            query.Add(string.Create(CultureInfo.InvariantCulture, $"offset={offset}"));
        }

        return query.Count == 0 ? All : $"{All}?{string.Join('&', query)}";
    }

    public static string One(Guid id) => $"{All}/{id}";

    public static string Messages(Guid id) => $"{All}/{id}/messages";

    public static string Stream(Guid id) => $"{All}/{id}/stream";

    public static string Events(Guid id) => $"{All}/{id}/events";

    public static string Config(Guid id) => $"{All}/{id}/config";

    public static string Turn(Guid id, Guid turn) => $"{All}/{id}/turns/{turn}";

    public static string Logs(Guid id, long after) => string.Create(CultureInfo.InvariantCulture, $"{All}/{id}/logs?after={after}");

    public static string Exec(Guid id) => $"{All}/{id}/exec";

    /// <param name="verb"><c>pause</c>, <c>resume</c>, <c>stop</c>, <c>fork</c> or <c>interrupt</c>.</param>
    public static string Act(Guid id, string verb) => $"{All}/{id}/{verb}";
}
