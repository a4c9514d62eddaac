using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ash.Client.Events;

namespace Ash.Client;

/// <summary>Requests and answers of one server: builds the ones, reads the others, and names what went wrong.</summary>
internal sealed class ApiConnection : IDisposable
{
    public const string IdempotencyKeyHeader = "Idempotency-Key";
    public const string TurnIdHeader = "X-Ash-Turn-Id";
    private const string RequestIdHeader = "X-Request-Id";
    private const int MaxRefusalBytes = 64 * 1024;

    private readonly HttpClient _http;
    private readonly AshClientOptions _options;
    private readonly AuthenticationHeaderValue? _authorization;

    public ApiConnection(AshClientOptions options)
    {
        if (!options.ServerUrl.IsAbsoluteUri || options.ServerUrl.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"The server's URL must begin with http:// or https://: {options.ServerUrl}", nameof(options));
        }

        _options = options;
        ServerUrl = options.ServerUrl;
        _authorization = options.ApiKey is { Length: > 0 } key ? new AuthenticationHeaderValue("Bearer", key) : null;

        var handler = options.HttpMessageHandler ?? new SocketsHttpHandler
        {
            // A proxy of the environment knows nothing of this machine's loopback.
            UseProxy = !options.ServerUrl.IsLoopback,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        };
        _http = new HttpClient(handler, disposeHandler: options.HttpMessageHandler is null)
        {
            BaseAddress = new Uri(options.ServerUrl.AbsoluteUri.TrimEnd('/') + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public Uri ServerUrl { get; }

    public TimeProvider Clock => _options.TimeProvider;

    public Deadline StartDeadline(CancellationToken cancellationToken, TimeSpan extra = default) =>
        new(_options.RequestTimeout + extra, _options.TimeProvider, cancellationToken);

    /// <param name="path">Relative to the server's address; its parts are escaped already.</param>
    public HttpRequestMessage Request(HttpMethod method, string path, byte[]? json = null, string? idempotencyKey = null)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = _authorization;

        if (json is not null)
        {
            request.Content = new ByteArrayContent(json);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        if (idempotencyKey is not null)
        {
            request.Headers.Add(IdempotencyKeyHeader, idempotencyKey);
        }

        return request;
    }

    /// <summary>One ordinary call: sent, answered, read.</summary>
    public async Task<T> CallAsync<T>(
        HttpMethod method,
        string path,
        JsonTypeInfo<T> answer,
        byte[]? json = null,
        string? idempotencyKey = null,
        TimeSpan extraTime = default,
        CancellationToken cancellationToken = default)
    {
        using var deadline = StartDeadline(cancellationToken, extraTime);
        using var request = Request(method, path, json, idempotencyKey);
        using var response = await SendAsync(request, deadline).ConfigureAwait(false);

        if (!response.IsSuccessStatusCode)
        {
            throw await RefusalAsync(response, deadline).ConfigureAwait(false);
        }

        return await ReadAsync(response, answer, deadline).ConfigureAwait(false);
    }

    /// <summary>A call whose success has no body.</summary>
    public async Task CallAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        using var deadline = StartDeadline(cancellationToken);
        using var request = Request(method, path);
        using var response = await SendAsync(request, deadline).ConfigureAwait(false);

        if (!response.IsSuccessStatusCode)
        {
            throw await RefusalAsync(response, deadline).ConfigureAwait(false);
        }
    }

    /// <summary>A call with a body that takes as long as it takes.</summary>
    /// <param name="body">Not owned.</param>
    public async Task<T> UploadAsync<T>(
        string path, HttpContent body, JsonTypeInfo<T> answer, CancellationToken cancellationToken)
    {
        using var deadline = StartDeadline(cancellationToken);
        deadline.Stop();
        using var request = Request(HttpMethod.Post, path);
        request.Content = body;
        using var response = await SendAsync(request, deadline).ConfigureAwait(false);
        deadline.Restart();

        if (!response.IsSuccessStatusCode)
        {
            throw await RefusalAsync(response, deadline).ConfigureAwait(false);
        }

        return await ReadAsync(response, answer, deadline).ConfigureAwait(false);
    }

    /// <summary>A call whose answer is bytes, to be read by the caller for as long as it takes.</summary>
    public async Task<FileDownload> DownloadAsync(string path, RangeHeaderValue? range, CancellationToken cancellationToken)
    {
        using var deadline = StartDeadline(cancellationToken);
        using var request = Request(HttpMethod.Get, path);
        request.Headers.Range = range;
        var response = await SendAsync(request, deadline).ConfigureAwait(false);

        try
        {
            if (!response.IsSuccessStatusCode)
            {
                throw await RefusalAsync(response, deadline).ConfigureAwait(false);
            }

            return new FileDownload(response, await response.Content.ReadAsStreamAsync(deadline.Token).ConfigureAwait(false));
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>Sends, and returns with the answer's headers, whatever its status.</summary>
    /// <exception cref="AshConnectionException">No server answers in time.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Deadline deadline)
    {
        try
        {
            return await OpenAsync(request, deadline.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException failure)
        {
            throw Unreachable(failure);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw Late(deadline);
        }
    }

    /// <summary>As <see cref="SendAsync"/>, with the failures as they come from below.</summary>
    public async Task<HttpResponseMessage> OpenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException failure) when (failure.InnerException is TimeoutException late)
        {
            // The handler reports its own time limit for connecting as a cancellation.
            throw new HttpRequestException(HttpRequestError.ConnectionError, late.Message, failure);
        }
    }

    public async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> answer, Deadline deadline)
    {
        try
        {
            var body = await response.Content.ReadAsStreamAsync(deadline.Token).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                return await JsonSerializer.DeserializeAsync(body, answer, deadline.Token).ConfigureAwait(false)
                    ?? throw NotAsh(response);
            }
        }
        catch (JsonException)
        {
            throw NotAsh(response);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw new AshConnectionException(
                ServerUrl, $"The connection to {Show(ServerUrl)} broke during the answer: {failure.Message}", failure);
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw Late(deadline);
        }
    }

    /// <summary>Reads an answer that is no success. Whatever stands there, the exception says something useful.</summary>
    /// <exception cref="AshConnectionException">It is not complete in time.</exception>
    public async Task<AshApiException> RefusalAsync(HttpResponseMessage response, Deadline deadline)
    {
        var requestId = response.Headers.TryGetValues(RequestIdHeader, out var ids) ? ids.FirstOrDefault() : null;
        string? message = null;
        string? code = null;

        try
        {
            await response.Content.LoadIntoBufferAsync(MaxRefusalBytes, deadline.Token).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(deadline.Token).ConfigureAwait(false);
            using var json = JsonDocument.Parse(body);

            // The reference's own shape of a validation error keeps the reason in `message`.
            message = json.RootElement.FindMember("message").ReadText() ?? json.RootElement.FindMember("error").ReadText();
            code = json.RootElement.FindMember("code").ReadText();
            requestId = json.RootElement.FindMember("requestId").ReadText() ?? requestId;
        }
        catch (Exception failure) when (failure is JsonException or HttpRequestException or IOException)
        {
            // A proxy's page, an empty body or a cut one: the status is all there is to tell.
        }
        catch (OperationCanceledException) when (deadline.IsOver)
        {
            throw Late(deadline);
        }

        return new AshApiException(
            response.StatusCode,
            code,
            message ?? $"The server answered {(int)response.StatusCode} {response.ReasonPhrase}".TrimEnd() + ".",
            requestId);
    }

    public AshConnectionException Unreachable(HttpRequestException failure) =>
        new(ServerUrl, $"No Ash server answers at {Show(ServerUrl)}: {failure.Message}", failure);

    public void Dispose() => _http.Dispose();

    private AshConnectionException Late(Deadline deadline) =>
        new(ServerUrl, $"{Show(ServerUrl)} gave no answer within {deadline.Limit.TotalSeconds:0.#} s.");

    private static AshApiException NotAsh(HttpResponseMessage response) => new(
        response.StatusCode,
        "invalid_answer",
        $"{response.RequestMessage?.RequestUri} answered {(int)response.StatusCode}, but not as an Ash server does.",
        requestId: null);

    private static string Show(Uri url) => url.AbsoluteUri.TrimEnd('/');
}
