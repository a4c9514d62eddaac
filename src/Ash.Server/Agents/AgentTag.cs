using System.Globalization;

namespace Ash.Server.Agents;

/// <summary>The <c>ETag</c> of an agent: another after each change.</summary>
internal static class AgentTag
{
    public static string Of(int version, DateTimeOffset updatedAt) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{version}-{updatedAt.ToUnixTimeMilliseconds():x}\"");
}
