using System.Globalization;
using Ash.Server.Storage;

namespace Ash.Server.Agents;

/// <summary>The <c>ETag</c> of an agent: another after each change.</summary>
internal static class AgentTag
{
    public static string Of(AgentRecord agent) => Of(agent.Version, agent.UpdatedAt);

    public static string Of(int version, DateTimeOffset updatedAt) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{version}-{updatedAt.ToUnixTimeMilliseconds():x}\"");

    /// <summary>Now, and never the time of an earlier change: it tells states apart.</summary>
    public static DateTimeOffset TimeAfter(DateTimeOffset before, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        return now > before ? now : before.AddMilliseconds(1);
    }
}
