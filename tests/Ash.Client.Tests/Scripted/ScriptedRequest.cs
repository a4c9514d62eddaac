using Microsoft.AspNetCore.Http;

namespace Ash.Client.Tests.Scripted;

/// <summary>What a client asked for.</summary>
internal sealed record ScriptedRequest(
    string Method,
    string Path,
    string Query,
    string Body,
    string? Accept,
    string? Authorization,
    string? IdempotencyKey,
    string? LastEventId)
{
    public static async Task<ScriptedRequest> ReadAsync(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        var body = await reader.ReadToEndAsync();
        return new ScriptedRequest(
            request.Method,
            request.Path.Value ?? "",
            request.QueryString.Value ?? "",
            body,
            request.Headers.Accept,
            request.Headers.Authorization,
            request.Headers["Idempotency-Key"],
            request.Headers["Last-Event-ID"]);
    }
}
