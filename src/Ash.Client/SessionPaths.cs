namespace Ash.Client;

/// <summary>Where the parts of a session are found.</summary>
internal static class SessionPaths
{
    public const string All = "api/sessions";

    public static string One(Guid id) => $"{All}/{id}";

    public static string Messages(Guid id) => $"{All}/{id}/messages";

    public static string Stream(Guid id) => $"{All}/{id}/stream";

    public static string Events(Guid id) => $"{All}/{id}/events";

    public static string Exec(Guid id) => $"{All}/{id}/exec";

    /// <param name="verb"><c>pause</c>, <c>resume</c>, <c>stop</c> or <c>interrupt</c>.</param>
    public static string Act(Guid id, string verb) => $"{All}/{id}/{verb}";
}
