using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Ash.Server.Tests.Access;

/// <summary>An answer of the API: its status, its headers, and its body where that is JSON.</summary>
internal sealed record Answer(HttpStatusCode Status, HttpResponseHeaders Headers, string Text)
{
    public JsonElement Body => JsonElement.Parse(Text);

    public string? Error => Body.GetProperty("error").GetString();

    public string? Code => Body.GetProperty("code").GetString();

    public string Header(string name) => string.Join(',', Headers.GetValues(name));
}

internal static class AnswerExtensions
{
    public static async Task<Answer> AskAsync(
        this HttpClient http, string method, string path, string? json = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (json is not null)
        {
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await http.SendAsync(request);
        return new Answer(response.StatusCode, response.Headers, await response.Content.ReadAsStringAsync());
    }
}
