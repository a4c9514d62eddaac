namespace Ash.Client.Events;

/// <summary>Asks for a stream, at first and after each break.</summary>
internal abstract class StreamRequest
{
    /// <summary>The request that goes on after an event, or begins where nothing has been read yet.</summary>
    /// <param name="cursor">Id of the last event that was read.</param>
    public abstract HttpRequestMessage Create(string? cursor);

    /// <summary>Learns from the headers of an answer.</summary>
    public virtual void Opened(HttpResponseMessage response)
    {
    }

    /// <summary>Whether nothing comes after this event.</summary>
    public abstract bool IsLast(AshEvent read);

    /// <summary>Whether a stream that the server closes in good order is complete. A stop or a break never looks like that.</summary>
    /// <param name="broughtEvents">Whether this connection had anything to say.</param>
    public virtual bool IsComplete(bool broughtEvents) => false;
}
