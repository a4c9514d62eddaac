using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>A turn whose tool runs until it is let go.</summary>
internal static class HeldTool
{
    /// <summary>A message for such a turn, which then answers <c>the end</c>.</summary>
    public const string Message = """
        @@fake [{"tool":{"name":"Bash","input":{"command":"touch started; until [ -e go ]; do sleep 0.02; done","description":"d"}}},{"text":"the end"}]
        """;

    public static Task WaitUntilItRunsAsync(AshServer server, Guid session) =>
        server.ExecAsync(session, "until [ -e started ]; do sleep 0.02; done");

    public static Task LetGoAsync(AshServer server, Guid session) => server.ExecAsync(session, "touch go");
}
