using System.Text.Json;

namespace Ash.Simulator.Replies;

/// <summary>Errors in the API's shape.</summary>
internal static class ErrorReply
{
    public static byte[] Body(int status, string? message, string requestId, string? type = null) => ReplyJson.WriteObject(json =>
    {
        json.WriteString("type", "error");
        WriteError(json, status, message, type);
        json.WriteString("request_id", requestId);
    });

    /// <summary>The <c>error</c> property, as a body and an event of a stream have it.</summary>
    public static void WriteError(Utf8JsonWriter json, int status, string? message, string? type)
    {
        json.WriteStartObject("error");
        json.WriteString("type", type ?? TypeOf(status));
        json.WriteString("message", message ?? $"Simulated error {status}");
        json.WriteEndObject();
    }

    private static string TypeOf(int status) => status switch
    {
        400 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        _ => "api_error",
    };
}
