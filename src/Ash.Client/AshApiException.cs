using System.Net;

namespace Ash.Client;

/// <summary>The server answered, and the answer is no.</summary>
public sealed class AshApiException : AshException
{
    /// <param name="statusCode">Status of the answer.</param>
    /// <param name="code">The stable word for programs; null where the server gave none.</param>
    /// <param name="message">The server's sentence, which a person can act on.</param>
    /// <param name="requestId">Names the request in the server's logs; null where the server gave none.</param>
    public AshApiException(HttpStatusCode statusCode, string? code, string message, string? requestId)
        : base(message, innerException: null)
    {
        StatusCode = statusCode;
        Code = code;
        RequestId = requestId;
    }

    /// <summary>Status of the answer.</summary>
    public HttpStatusCode StatusCode { get; }

    /// <summary>A stable word for programs, such as <c>queue_full</c>; null where the server gave none.</summary>
    public string? Code { get; }

    /// <summary>Names the request in the server's logs; null where the server gave none.</summary>
    public string? RequestId { get; }
}
