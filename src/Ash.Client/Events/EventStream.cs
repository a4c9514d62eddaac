using System.Runtime.CompilerServices;

namespace Ash.Client.Events;

/// <summary>The events of a stream, each exactly once and in order, however often the connection breaks.</summary>
internal sealed class EventStream(ApiConnection connection, StreamRequest request, AshClientOptions options) : IAsyncDisposable
{
    private readonly Retries _retries = new(options.Reconnect, options.TimeProvider, options.Random);
    private EventConnection? _current;
    private string? _cursor;
    private EventCursor? _newest;

    public static async IAsyncEnumerable<AshEvent> ReadAsync(
        ApiConnection connection,
        StreamRequest request,
        AshClientOptions options,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stream = new EventStream(connection, request, options);

        await using (stream.ConfigureAwait(false))
        {
            while (await stream.NextAsync(cancellationToken).ConfigureAwait(false) is { } read)
            {
                yield return read;

                if (request.IsLast(read))
                {
                    break;
                }
            }
        }
    }

    public ValueTask DisposeAsync() => CloseAsync();

    private async ValueTask<AshEvent?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                _current ??= await OpenAsync(cancellationToken).ConfigureAwait(false);
                var (read, hasOwnId) = await _current.ReadAsync(cancellationToken).ConfigureAwait(false);

                if (read is null)
                {
                    if (request.IsComplete(_current.BroughtEvents))
                    {
                        return null;
                    }

                    throw new EndOfStreamException("The server closed the stream before its end.");
                }

                if (IsNew(read, hasOwnId))
                {
                    _retries.Progressed();
                    return read;
                }
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or InvalidDataException or AshApiException)
            {
                if (!_retries.MayRetry(failure))
                {
                    throw Final(failure);
                }
            }

            if (_current is { IsOpen: false } or null)
            {
                await CloseAsync().ConfigureAwait(false);
                await _retries.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<EventConnection> OpenAsync(CancellationToken cancellationToken)
    {
        using var message = request.Create(_cursor);
        var opened = await EventConnection
            .OpenAsync(connection, message, options.Reconnect.SilenceLimit, cancellationToken)
            .ConfigureAwait(false);
        _retries.Answered();
        request.Opened(opened.Response);
        return opened;
    }

    /// <summary>A repeated message is answered from the turn's beginning; what was read already is passed over.</summary>
    private bool IsNew(AshEvent read, bool hasOwnId)
    {
        if (!hasOwnId || !EventCursor.TryParse(read.Id, out var place))
        {
            _cursor = read.Id ?? _cursor;
            return true;
        }

        if (_newest is { } seen && place.CompareTo(seen) <= 0)
        {
            return false;
        }

        _newest = place;
        _cursor = read.Id;
        return true;
    }

    private AshException Final(Exception failure) => failure switch
    {
        AshApiException refusal => refusal,
        HttpRequestException unreachable => connection.Unreachable(unreachable),
        _ => new AshConnectionException(
            connection.ServerUrl, $"The stream broke and could not be taken up again: {failure.Message}", failure),
    };

    private async ValueTask CloseAsync()
    {
        if (_current is { } open)
        {
            _current = null;
            await open.DisposeAsync().ConfigureAwait(false);
        }
    }
}
