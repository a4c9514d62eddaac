using System.Globalization;

namespace Ash.Client;

/// <summary>Where the parts of a session are found.</summary>
internal static class SessionPaths
{
    public const string All = "api/sessions";

    public static string List(string? agent, int? limit, int offset)
    {
        List<string> query = [];
        if (agent is not null)
        {
            query.Add($"agent={Uri.EscapeDataString(agent)}");
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

    public static string Exec(Guid id) => $"{All}/{id}/exec";

    /// <param name="verb"><c>pause</c>, <c>resume</c>, <c>stop</c> or <c>interrupt</c>.</param>
    public static string Act(Guid id, string verb) => $"{All}/{id}/{verb}";
}
