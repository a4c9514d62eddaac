namespace Ash.Client.Events;

/// <summary>One connection of a stream, from its answer to its end or break.</summary>
internal sealed class EventConnection : IAsyncDisposable
{
    private readonly SseParser _parser = new();
    private readonly Stream _body;
    private readonly Deadline _silence;

    private EventConnection(HttpResponseMessage response, Stream body, Deadline silence)
    {
        Response = response;
        _body = body;
        _silence = silence;
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
        var _silence = new Deadline(silenceLimit, connection.Clock, cancellationToken);
        HttpResponseMessage? response = null;

        try
        {
            response = await connection.OpenAsync(request, _silence.Token).ConfigureAwait(false);

            if (!response.IsSuccessStatusCode)
            {
                throw await connection.RefusalAsync(response, _silence).ConfigureAwait(false);
            }

            var _body = await response.Content.ReadAsStreamAsync(_silence.Token).ConfigureAwait(false);
            return new EventConnection(response, _body, _silence);
        }
        catch (Exception failure)
        {
            // Nobody else holds these yet.
            var isOver = _silence.IsOver;
            response?.Dispose();
            _silence.Dispose();

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
        if (_parser.TryRead(out var read, out var hasOwnId))
        {
            return (read, hasOwnId);
        }

        cancellationToken.ThrowIfCancellationRequested();
        var open = false;

        try
        {
            while (true)
            {
                _silence.Restart();
                var count = await _body.ReadAsync(_parser.GetMemory(), _silence.Token).ConfigureAwait(false);

                if (count == 0)
                {
                    return (null, false);
                }

                _parser.Advance(count);

                if (_parser.TryRead(out read, out hasOwnId))
                {
                    open = true;
                    BroughtEvents = true;
                    return (read, hasOwnId);
                }
            }
        }
        catch (OperationCanceledException failure) when (_silence.IsOver)
        {
            throw new IOException(Silent(_silence.Limit), failure);
        }
        finally
        {
            // What the caller does with an event takes its own time, not the server's.
            _silence.Stop();
            IsOpen = open;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _body.DisposeAsync().ConfigureAwait(false);
        Response.Dispose();
        _silence.Dispose();
    }

    private static string Silent(TimeSpan limit) => $"The server has said nothing for {limit.TotalSeconds:0.#} s.";
}
