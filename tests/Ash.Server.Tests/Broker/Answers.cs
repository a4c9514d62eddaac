using Microsoft.AspNetCore.Http;

namespace Ash.Server.Tests.Broker;

/// <summary>What the scripted upstream says.</summary>
internal static class Answers
{
    public const string Stream =
        """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-test-1","content":[],"usage":{"input_tokens":25,"cache_creation_input_tokens":7,"cache_read_input_tokens":11,"cache_creation":{"ephemeral_5m_input_tokens":7},"output_tokens":1}}}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"{\"usage\":{\"output_tokens\":99999}} \u00e9\\"}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}

        event: message_stop
        data: {"type":"message_stop"}


        """;

    public const string Message =
        """
        {"id":"msg_2","type":"message","content":[{"type":"tool_use","input":{"model":"no","usage":{"input_tokens":1000000}}},
        {"type":"text","text":"a \"usage\": { in a string \\"}],"model":"claude-test-2","stop_reason":"end_turn",
        "usage":{"input_tokens":3,"output_tokens":5,"cache_read_input_tokens":2,"service_tier":"standard"}}
        """;

    public static RequestDelegate Error(int status, string? retryAfter = null, string? shouldRetry = null) => context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.Headers["request-id"] = "req_1";
        context.Response.Headers["anthropic-organization-id"] = "operator";

        if (retryAfter is not null)
        {
            context.Response.Headers.RetryAfter = retryAfter;
        }

        if (shouldRetry is not null)
        {
            context.Response.Headers["x-should-retry"] = shouldRetry;
        }

        return context.Response.WriteAsync($$$"""{"type":"error","error":{"type":"api_error","message":"upstream {{{status}}}"}}""");
    };

    public static Task Streamed(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.Server = "upstream";
        context.Response.Headers.SetCookie = "a=b";
        context.Response.Headers["request-id"] = "req_1";
        context.Response.Headers["anthropic-organization-id"] = "operator";
        return context.Response.WriteAsync(Stream);
    }

    public static Task Json(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(Message);
    }

    /// <summary>The connection ends without an answer.</summary>
    public static Task Nothing(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }
}
