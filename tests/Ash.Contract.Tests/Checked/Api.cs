using System.Net.Http.Headers;
using System.Text;

namespace Ash.Contract.Tests.Checked;

/// <summary>Asks a server, and fails where what it answers is not what it says of itself.</summary>
public sealed class Api : IDisposable
{
    private readonly HttpClient _http;
    private readonly ApiDescription _description;
    private readonly Coverage _coverage;

    public Api(Uri url, string? key, ApiDescription description, Coverage coverage)
    {
        _description = description;
        _coverage = coverage;
        _http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromMinutes(2) };
        if (key is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }
    }

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync("GET", path, headers: headers);

    public Task<Answer> PostAsync(string path, string? json = null, params (string Name, string Value)[] headers) =>
        SendAsync("POST", path, json, headers: headers);

    public Task<Answer> PatchAsync(string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync("PATCH", path, json, headers: headers);

    public Task<Answer> DeleteAsync(string path, params (string Name, string Value)[] headers) => SendAsync("DELETE", path, headers: headers);

    /// <summary>Sends a request as it is written, reads the whole answer and checks it.</summary>
    public Task<Answer> SendAsync(
        string method, string path, string? body = null, string contentType = "application/json", params (string Name, string Value)[] headers) =>
        SendAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), contentType, headers);

    /// <inheritdoc cref="SendAsync(string, string, string, string, ValueTuple{string, string}[])"/>
    public async Task<Answer> SendAsync(string method, string path, byte[]? body, string contentType, (string Name, string Value)[] headers)
    {
        using var response = await OpenAsync(method, path, body, contentType, headers);
        var answer = await Answer.ReadAsync(response, TestContext.Current.CancellationToken);
        if (AnswerCheck.Find(_description, method, path, answer) is { } mistake)
        {
            Assert.Fail($"{method} {path}: {mistake}");
        }

        _coverage.Add(_description.Find(method, path), answer);
        return answer;
    }

    /// <summary>Sends a request and reads the head of the answer alone.</summary>
    public async Task<HttpResponseMessage> OpenAsync(
        string method, string path, byte[]? body = null, string contentType = "application/json", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    public void Dispose() => _http.Dispose();
}
