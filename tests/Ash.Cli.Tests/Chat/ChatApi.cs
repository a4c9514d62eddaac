using Ash.Client.Tests.Scripted;
using Microsoft.AspNetCore.Http;

namespace Ash.Cli.Tests.Chat;

/// <summary>A server with one agent, <c>greeter</c>, and one session.</summary>
internal static class ChatApi
{
    public static readonly Guid Session = new("019a0000-0000-7000-8000-000000000001");

    public static readonly string Path = $"/api/sessions/{Session}";

    public static readonly string SessionJson =
        $$"""
        {"session":{"id":"{{Session}}","tenantId":"default","agentName":"greeter","sandboxId":"{{Session}}","status":"active","runnerId":null,
        "parentSessionId":null,"createdAt":"2026-01-15T10:00:00.000Z","lastActiveAt":"2026-01-15T10:00:00.000Z"} }
        """;

    public static async Task<ScriptedApi> StartAsync()
    {
        var api = await ScriptedApi.StartAsync();
        api.Turn = ScriptedEvent.TurnWithTool(Session);
        return api
            .On("POST /api/sessions", SessionJson, 201)
            .On($"GET {Path}", SessionJson)
            .On($"DELETE {Path}", SessionJson);
    }

    /// <summary>Lets each turn say <c>So</c>, and no more until it is interrupted.</summary>
    public static void HoldTurns(ScriptedApi api)
    {
        var interrupted = new SemaphoreSlim(0);
        api.On($"POST {Path}/messages", async context =>
        {
            await context.Response.WriteAsync("id: 1\nevent: text_delta\ndata: {\"delta\":\"So\"}\n\n");
            await context.Response.Body.FlushAsync();
            await interrupted.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync("id: 2\nevent: error\ndata: {\"error\":\"The turn was interrupted.\"}\n\n");
            await context.Response.WriteAsync("id: 3\nevent: done\ndata: {\"reason\":\"interrupted\"}\n\n");
        });
        api.On($"POST {Path}/interrupt", async context =>
        {
            interrupted.Release();
            await context.Response.WriteAsync("""{"interrupted":true,"turnId":null}""");
        });
    }

    public static TestHome HomeOf(ScriptedApi api)
    {
        var home = new TestHome();
        home.Environment["ASH_SERVER_URL"] = $"{api.Url}";
        home.Environment["NO_COLOR"] = "1";
        return home;
    }
}
