using System.Text.Json;

namespace Ash.Simulator.Requests;

/// <summary>How a request is shown to those who ask for the log.</summary>
internal static class RequestJson
{
    public static void Write(Utf8JsonWriter json, RecordedRequest request, bool withBody)
    {
        json.WriteStartObject();
        json.WriteNumber("seq", request.Number);
        json.WriteString("at", request.ReceivedAt);
        json.WriteNumber("atMs", request.ReceivedAt.ToUnixTimeMilliseconds());
        json.WriteString("method", request.Method);
        json.WriteString("path", request.Path + request.Query);
        json.WriteStartObject("headers");

        foreach (var (name, value) in request.Headers)
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();

        if (withBody)
        {
            WriteBody(json, request);
        }

        json.WriteString("requestId", request.RequestId);

        if (request.Reply is { } reply)
        {
            json.WriteString("source", reply.Source);
            json.WriteString("prompt", reply.Prompt);
            json.WriteNumber("step", reply.Step);
            json.WriteStartArray("userTexts");

            foreach (var text in reply.UserTexts)
            {
                json.WriteStringValue(text);
            }

            json.WriteEndArray();
        }

        if (request.Outcome is { } outcome)
        {
            json.WriteString("outcome", outcome.Description);
            json.WriteNumber("tookMs", (long)outcome.Took.TotalMilliseconds);
        }

        json.WriteEndObject();
    }

    private static void WriteBody(Utf8JsonWriter json, RecordedRequest request)
    {
        json.WritePropertyName("body");

        try
        {
            using var body = JsonDocument.Parse(request.Body);
            body.WriteTo(json);
        }
        catch (JsonException)
        {
            json.WriteStringValue(request.BodyText);
        }
    }
}
