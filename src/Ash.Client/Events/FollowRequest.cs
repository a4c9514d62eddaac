using System.Net.Http.Headers;
using System.Text;

namespace Ash.Client.Events;

/// <summary>Reads a session's log: what was, then what comes.</summary>
internal sealed class FollowRequest(ApiConnection connection, Guid sessionId, StreamOptions options) : StreamRequest
{
    /// <summary>A server with nothing to say and nothing to wait for is done: the turn or the session has ended before the cursor.</summary>
    public override bool IsComplete(bool broughtEvents) => options.UntilIdle || !broughtEvents;

    public override HttpRequestMessage Create(string? cursor)
    {
        var after = cursor ?? options.After;
        var path = new StringBuilder(SessionPaths.Stream(sessionId));
        path.Append(options.Partial ? "?partial=true" : "?partial=false");
        path.Append(options.Lifecycle ? "&lifecycle=true" : "&lifecycle=false");

        if (options.Turn is { } turn)
        {
            path.Append("&turn=").Append(turn);
        }

        if (after is not null)
        {
            path.Append("&after=").Append(Uri.EscapeDataString(after));
        }

        if (options.UntilIdle)
        {
            path.Append("&until=idle");
        }

        var request = connection.Request(HttpMethod.Get, path.ToString());
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));

        if (cursor is not null)
        {
            request.Headers.Add("Last-Event-ID", cursor);
        }

        return request;
    }

    public override bool IsLast(AshEvent read) => options.Turn is not null
        ? read.Name == EventNames.Done
        : read.Body is Lifecycle { Type: "session.ended" };
}
