using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Ash.Contract.Tests.Checked;

/// <summary>What a server answered, read whole.</summary>
public sealed record Answer(int Status, byte[] Bytes, string? MediaType, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders)
{
    public string Text { get; } = Encoding.UTF8.GetString(Bytes);

    public JsonElement Json => JsonElement.Parse(Text);

    public string? RequestId => Headers.TryGetValues("X-Request-Id", out var values) ? values.Single() : null;

    /// <summary>Of an error; null where there is none, as in an answer to HEAD.</summary>
    public string? Code => MediaType != "application/json" || Bytes.Length == 0 ? null : Json.TryGetProperty("code", out var code) ? code.GetString() : null;

    public static async Task<Answer> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken) => new(
        (int)response.StatusCode,
        await ReadBodyAsync(response.Content, cancellationToken),
        response.Content.Headers.ContentType?.MediaType,
        response.Headers,
        response.Content.Headers);

    /// <summary>As it was before the server compressed it, which it does where it is asked to.</summary>
    private static async Task<byte[]> ReadBodyAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var sent = await content.ReadAsStreamAsync(cancellationToken);
        await using var body = content.Headers.ContentEncoding.SingleOrDefault() switch
        {
            null => sent,
            "br" => new BrotliStream(sent, CompressionMode.Decompress),
            "gzip" => new GZipStream(sent, CompressionMode.Decompress),
            var other => throw new InvalidDataException($"an answer is encoded as {other}"),
        };
        using var read = new MemoryStream();
        await body.CopyToAsync(read, cancellationToken);
        return read.ToArray();
    }

    /// <summary>Fails unless this is a success with that status.</summary>
    /// <returns>Its body.</returns>
    public JsonElement Is(int status)
    {
        IsWithoutJson(status);
        return Json;
    }

    /// <summary>Fails unless it says that something is deleted. Some servers have no more words for that; some clients need them.</summary>
    public void IsDeleted() => Assert.True(Status is 200 or 204, $"{Status} instead of 200 or 204: {Text}");

    /// <summary>Fails unless it has that status.</summary>
    public void IsWithoutJson(int status) => Assert.True(Status == status, $"{Status} instead of {status}: {Text}");

    /// <summary>Fails unless this is the error of that status, code and, where it is given, text.</summary>
    public void IsError(int status, string code, string? text = null)
    {
        Assert.True(Status == status && Code == code, $"{Status} instead of {status} {code}: {Text}");
        if (text is not null)
        {
            Assert.Equal(text, Json.GetProperty("error").GetString());
        }
    }
}
