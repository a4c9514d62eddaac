using System.Net.Http.Headers;

namespace Ash.Client.Events;

/// <summary>Sends a message and reads its turn. After a break it reads on in the turn, which the message is not sent again for.</summary>
internal sealed class MessageRequest(ApiConnection connection, Guid sessionId, byte[] message, bool partial, string idempotencyKey)
    : StreamRequest
{
    private Guid? _turnId;

    public override HttpRequestMessage Create(string? cursor)
    {
        if (_turnId is { } turn)
        {
            return new FollowRequest(
                connection, sessionId, new StreamOptions { Turn = turn, Partial = partial, Lifecycle = false }).Create(cursor ?? "0");
        }

        // The key makes the repetition harmless: the server gives the same turn, from its beginning.
        var request = connection.Request(HttpMethod.Post, SessionPaths.Messages(sessionId), message, idempotencyKey);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        return request;
    }

    public override void Opened(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues(ApiConnection.TurnIdHeader, out var values)
            && Guid.TryParse(values.FirstOrDefault(), out var turn))
        {
            _turnId = turn;
        }
    }

    public override bool IsLast(AshEvent read) => read.Name == EventNames.Done;
}
