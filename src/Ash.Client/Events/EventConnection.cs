namespace Ash.Client.Events;

/// <summary>One connection of a stream, from its answer to its end or break.</summary>
internal sealed class EventConnection : IAsyncDisposable
{
    private readonly SseParser parser = new();
    private readonly Stream body;
    private readonly Deadline silence;

    private EventConnection(HttpResponseMessage response, Stream body, Deadline silence)
    {
        Response = response;
        this.body = body;
        this.silence = silence;
    }

    public HttpResponseMessage Response { get; }

    /// <summary>False once the end or a break was seen.</summary>
    public bool IsOpen { get; private set; } = true;

    public bool BroughtEvents { get; private set; }

    /// <exception cref="HttpRequestException">No answer.</exception>
    /// <exception cref="IOException">No answer in time, or one that broke off.</exception>
    /// <exception cref="AshApiException">The answer is no.</exception>
    public static async Task<EventConnection> OpenAsync(
        ApiConnection connection, HttpRequestMessage request, TimeSpan silenceLimit, CancellationToken cancellationToken)
    {
        var silence = new Deadline(silenceLimit, connection.Clock, cancellationToken);
        HttpResponseMessage? response = null;

        try
        {
            response = await connection.OpenAsync(request, silence.Token).ConfigureAwait(false);

            if (!response.IsSuccessStatusCode)
            {
                throw await connection.RefusalAsync(response, silence).ConfigureAwait(false);
            }

            var body = await response.Content.ReadAsStreamAsync(silence.Token).ConfigureAwait(false);
            return new EventConnection(response, body, silence);
        }
        catch (Exception failure)
        {
            // Nobody else holds these yet.
            var isOver = silence.IsOver;
            response?.Dispose();
            silence.Dispose();

            if (isOver && failure is OperationCanceledException or AshConnectionException)
            {
                throw new IOException(Silent(silenceLimit), failure);
            }

            throw;
        }
    }

    /// <summary>The next event; null where the server closed the stream in good order.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask<(AshEvent? Read, bool HasOwnId)> ReadAsync(CancellationToken cancellationToken)
    {
        if (parser.TryRead(out var read, out var hasOwnId))
        {
            return (read, hasOwnId);
        }

        cancellationToken.ThrowIfCancellationRequested();
        var open = false;

        try
        {
            while (true)
            {
                silence.Restart();
                var count = await body.ReadAsync(parser.GetMemory(), silence.Token).ConfigureAwait(false);

                if (count == 0)
                {
                    return (null, false);
                }

                parser.Advance(count);

                if (parser.TryRead(out read, out hasOwnId))
                {
                    open = true;
                    BroughtEvents = true;
                    return (read, hasOwnId);
                }
            }
        }
        catch (OperationCanceledException failure) when (silence.IsOver)
        {
            throw new IOException(Silent(silence.Limit), failure);
        }
        finally
        {
            // What the caller does with an event takes its own time, not the server's.
            silence.Stop();
            IsOpen = open;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await body.DisposeAsync().ConfigureAwait(false);
        Response.Dispose();
        silence.Dispose();
    }

    private static string Silent(TimeSpan limit) => $"The server has said nothing for {limit.TotalSeconds:0.#} s.";
}
