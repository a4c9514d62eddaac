using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ash.Simulator.Requests;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>What the server answered, read whole.</summary>
internal sealed record Answer(HttpStatusCode Status, string Body, string? MediaType, HttpResponseHeaders Headers)
{
    public JsonElement Json => JsonElement.Parse(Body);

    /// <summary>Fails unless this is the error of that status, code and, where it is given, text, in the one shape that errors have.</summary>
    public void IsError(int status, string code, string? text = null)
    {
        Assert.True((int)Status == status, $"{(int)Status} instead of {status}: {Body}");
        Assert.Equal("application/json", MediaType);
        Assert.Equal(status, Json.GetProperty("statusCode").GetInt32());
        Assert.Equal(code, Json.GetProperty("code").GetString());
        Assert.Equal(Headers.GetValues("X-Request-Id").Single(), Json.GetProperty("requestId").GetString());
        Assert.NotEmpty(Json.GetProperty("error").GetString()!);
        if (text is not null)
        {
            Assert.Equal(text, Json.GetProperty("error").GetString());
        }
    }

    public JsonElement IsSuccess(int status = 200)
    {
        Assert.True((int)Status == status, $"{(int)Status} instead of {status}: {Body}");
        return Json;
    }
}

internal static class AnswerExtensions
{
    /// <summary>Sends a request as it is written, and reads the whole answer.</summary>
    /// <param name="server">The server.</param>
    /// <param name="method">The method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="body">The body, or null for none.</param>
    /// <param name="contentType">Of the body.</param>
    /// <param name="headers">More headers.</param>
    public static async Task<Answer> AskAsync(
        this AshServer server,
        string method,
        string path,
        string? body = null,
        string contentType = "application/json",
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return new Answer(
            response.StatusCode,
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            response.Content.Headers.ContentType?.MediaType,
            response.Headers);
    }

    /// <summary>What the model was last asked for a session.</summary>
    public static RecordedRequest LastModelCall(this AshServer server, Guid session) => server.Model.Requests.Last(request =>
        request.SessionId == session.ToString() && request.Path == "/v1/messages");

    /// <summary>Sends a message and waits for its turn.</summary>
    public static Task<Answer> SendJsonAsync(this AshServer server, Guid session, string body, string? key = null) =>
        server.AskAsync(
            "POST",
            $"/api/sessions/{session}/messages",
            body,
            headers: key is null ? [("Accept", "application/json")] : [("Accept", "application/json"), ("Idempotency-Key", key)]);
}
