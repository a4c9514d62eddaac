using System.Reflection;

namespace Ash.Server.Configuration;

/// <summary>The version that <c>session_start</c>, <c>/health</c> and the API's description name.</summary>
internal static class ServerVersion
{
    public static string Text { get; } =
        typeof(ServerVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
}
