using System.Text.Json.Serialization;

namespace Ash.Protocol.Api;

/// <summary>The body of every answer that is not a success.</summary>
/// <param name="Error">A sentence that a person can act on.</param>
/// <param name="StatusCode">The HTTP status.</param>
/// <param name="Code">A stable word for programs.</param>
/// <param name="RequestId">Names this request in the server's logs.</param>
public sealed record ApiError(string Error, int StatusCode, string? Code = null, string? RequestId = null)
{
    /// <summary>The sentence where <see cref="Error"/> is a mere heading, as for 429; else absent.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Message { get; init; }
}
