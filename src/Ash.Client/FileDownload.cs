namespace Ash.Client;

/// <summary>Bytes that a server sends. They are read as they arrive; dispose it when that is enough.</summary>
public sealed class FileDownload : IAsyncDisposable, IDisposable
{
    private readonly HttpResponseMessage _response;

    internal FileDownload(HttpResponseMessage response, Stream content)
    {
        _response = response;
        Content = content;
    }

    /// <summary>Throws where the connection breaks, so that an end is the whole's.</summary>
    public Stream Content { get; }

    /// <summary>Of what is sent, in bytes; null where it is not known beforehand, as of a bundle.</summary>
    public long? Length => _response.Content.Headers.ContentLength;

    public string? MediaType => _response.Content.Headers.ContentType?.MediaType;

    /// <summary><c>sandbox</c> or <c>snapshot</c>; null for an attachment.</summary>
    public string? Source => _response.Headers.TryGetValues("X-Ash-Source", out var values) ? values.FirstOrDefault() : null;

    public void Dispose() => _response.Dispose();

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }
}
