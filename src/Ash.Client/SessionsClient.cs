using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ash.Client.Events;
using Ash.Protocol.Api;

namespace Ash.Client;

/// <summary>Makes sessions, talks to them, follows them and ends them.</summary>
/// <remarks>
/// Every method throws <see cref="AshApiException"/> where the server refuses (404 where there is no such session) and
/// <see cref="AshConnectionException"/> where none answers.
/// </remarks>
public sealed class SessionsClient
{
    // An attempt that waits longer is made again, which costs nothing and finds out that the other side is gone.
    private static readonly TimeSpan WaitLimit = TimeSpan.FromMinutes(5);

    private readonly ApiConnection _connection;
    private readonly AshClientOptions _options;

    internal SessionsClient(ApiConnection connection, AshClientOptions options)
    {
        _connection = connection;
        _options = options;
    }

    /// <summary>Makes a session with an agent.</summary>
    /// <param name="idempotencyKey">The same key and the same request give the same session, for a day.</param>
    public async Task<SessionInfo> CreateAsync(
        CreateSessionRequest request, string? idempotencyKey = null, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.CreateSessionRequest);
        var answer = await _connection
            .CallAsync(
                HttpMethod.Post,
                SessionPaths.All,
                ApiJson.Default.SessionEnvelope,
                json,
                idempotencyKey,
                cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Session;
    }

    /// <summary>Sessions, the newest first.</summary>
    /// <param name="agent">Only those with this agent.</param>
    /// <param name="limit">At most so many, 1 to 1000; all where null.</param>
    /// <param name="offset">How many of the newest to leave out.</param>
    /// <param name="status">Only those of this status, such as <c>active</c>.</param>
    /// <param name="cancellationToken">Gives the request up.</param>
    public async Task<IReadOnlyList<SessionInfo>> ListAsync(
        string? agent = null, int? limit = null, int offset = 0, string? status = null, CancellationToken cancellationToken = default)
    {
        var path = SessionPaths.List(agent, limit, offset, status);
        var answer = await GetAsync(path, ApiJson.Default.SessionListEnvelope, cancellationToken).ConfigureAwait(false);
        return answer.Sessions;
    }

    /// <summary>One session.</summary>
    public async Task<SessionInfo> GetAsync(Guid id, CancellationToken cancellationToken = default)
    {
        var answer = await GetAsync(SessionPaths.One(id), ApiJson.Default.SessionEnvelope, cancellationToken).ConfigureAwait(false);
        return answer.Session;
    }

    /// <summary>Sets a session aside. The next message wakes it.</summary>
    public Task<SessionInfo> PauseAsync(Guid id, CancellationToken cancellationToken = default) =>
        ActAsync(id, "pause", cancellationToken);

    /// <summary>Makes a session ready ahead of its next message; the only way on for a stopped one.</summary>
    public Task<SessionInfo> ResumeAsync(Guid id, CancellationToken cancellationToken = default) =>
        ActAsync(id, "resume", cancellationToken);

    /// <summary>Stops a session until it is resumed.</summary>
    public Task<SessionInfo> StopAsync(Guid id, CancellationToken cancellationToken = default) =>
        ActAsync(id, "stop", cancellationToken);

    /// <summary>Makes a session that goes on from where another is, with a copy of its files and its conversation.</summary>
    /// <returns>The new session, paused. The other is left as it is.</returns>
    public Task<SessionInfo> ForkAsync(Guid id, CancellationToken cancellationToken = default) =>
        ActAsync(id, "fork", cancellationToken);

    /// <summary>Changes how a session works from its next turn on.</summary>
    public async Task<SessionInfo> ConfigureAsync(
        Guid id, UpdateSessionConfigRequest request, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.UpdateSessionConfigRequest);
        var answer = await _connection
            .CallAsync(
                HttpMethod.Patch, SessionPaths.Config(id), ApiJson.Default.SessionEnvelope, json, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Session;
    }

    /// <summary>Ends the turn that runs, if one does. The session goes on.</summary>
    public Task<InterruptResult> InterruptAsync(Guid id, CancellationToken cancellationToken = default) => _connection.CallAsync(
        HttpMethod.Post, SessionPaths.Act(id, "interrupt"), ApiJson.Default.InterruptResult, cancellationToken: cancellationToken);

    /// <summary>Ends a session for ever.</summary>
    /// <param name="purge">Also removes its files and its history, at once.</param>
    public async Task<SessionInfo> EndAsync(Guid id, bool purge = false, CancellationToken cancellationToken = default)
    {
        var path = purge ? $"{SessionPaths.One(id)}?purge=true" : SessionPaths.One(id);
        var answer = await _connection
            .CallAsync(HttpMethod.Delete, path, ApiJson.Default.SessionEnvelope, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Session;
    }

    /// <summary>Runs a command in the session's sandbox. Whatever its exit code, that is an answer.</summary>
    public Task<ExecResult> ExecAsync(Guid id, ExecRequest request, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.ExecRequest);
        return _connection.CallAsync(
            HttpMethod.Post,
            SessionPaths.Exec(id),
            ApiJson.Default.ExecResult,
            json,
            extraTime: TimeSpan.FromMilliseconds(request.Timeout ?? 30_000),
            cancellationToken: cancellationToken);
    }

    /// <summary>The history: what the user sent and the agent answered, the oldest first.</summary>
    /// <param name="after">Only messages whose sequence is greater.</param>
    /// <param name="limit">1 to 1,000.</param>
    public async Task<IReadOnlyList<MessageInfo>> ListMessagesAsync(
        Guid id, long after = 0, int limit = 100, CancellationToken cancellationToken = default)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"{SessionPaths.Messages(id)}?after={after}&limit={limit}");
        var answer = await GetAsync(path, ApiJson.Default.MessageListEnvelope, cancellationToken).ConfigureAwait(false);
        return answer.Messages;
    }

    /// <summary>The timeline, the oldest first.</summary>
    /// <param name="after">Only entries whose sequence is greater.</param>
    /// <param name="limit">1 to 1,000.</param>
    /// <param name="type">Only entries of this type.</param>
    public async Task<IReadOnlyList<SessionEventInfo>> ListEventsAsync(
        Guid id, long after = 0, int limit = 200, string? type = null, CancellationToken cancellationToken = default)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"{SessionPaths.Events(id)}?after={after}&limit={limit}");

        if (type is not null)
        {
            path += $"&type={Uri.EscapeDataString(type)}";
        }

        var answer = await GetAsync(path, ApiJson.Default.SessionEventListEnvelope, cancellationToken).ConfigureAwait(false);
        return answer.Events;
    }

    /// <summary>What the session's sandbox wrote beside the agent's own stream, the oldest first.</summary>
    /// <param name="after">Only lines whose index is greater; -1 gives all.</param>
    public async Task<IReadOnlyList<SessionLogEntry>> ListLogsAsync(
        Guid id, long after = -1, CancellationToken cancellationToken = default)
    {
        var answer = await GetAsync(SessionPaths.Logs(id, after), ApiJson.Default.SessionLogListEnvelope, cancellationToken)
            .ConfigureAwait(false);
        return answer.Logs;
    }

    /// <summary>How a turn stands, or ended.</summary>
    public async Task<TurnInfo> GetTurnAsync(Guid id, Guid turn, CancellationToken cancellationToken = default)
    {
        var answer = await GetAsync(SessionPaths.Turn(id, turn), ApiJson.Default.TurnEnvelope, cancellationToken).ConfigureAwait(false);
        return answer.Turn;
    }

    /// <summary>Sends a message and reads its turn, up to and with its <c>done</c>.</summary>
    /// <remarks>
    /// The message is sent when the reading begins. Breaks of the connection are bridged: each event comes exactly once, in
    /// order. Who stops reading does not stop the turn; <see cref="InterruptAsync"/> does.
    /// </remarks>
    public IAsyncEnumerable<AshEvent> SendMessageAsync(
        Guid id, SendMessageRequest message, SendMessageOptions? sending = null, CancellationToken cancellationToken = default)
    {
        var request = new MessageRequest(
            _connection, id, Serialize(message), message.IncludePartialMessages ?? false, KeyOf(sending));
        return EventStream.ReadAsync(_connection, request, _options, cancellationToken);
    }

    /// <inheritdoc cref="SendMessageAsync(Guid, SendMessageRequest, SendMessageOptions?, CancellationToken)"/>
    public IAsyncEnumerable<AshEvent> SendMessageAsync(
        Guid id, string text, bool includePartialMessages = false, CancellationToken cancellationToken = default) =>
        SendMessageAsync(id, TextMessage(text, includePartialMessages), sending: null, cancellationToken);

    /// <summary>Sends a message and waits until its turn has ended, however it did: <see cref="TurnInfo.Reason"/> says.</summary>
    /// <remarks>Breaks of the connection are bridged; the message is taken once.</remarks>
    public async Task<TurnInfo> SendMessageAndWaitAsync(
        Guid id, SendMessageRequest message, SendMessageOptions? sending = null, CancellationToken cancellationToken = default)
    {
        var json = Serialize(message);
        var key = KeyOf(sending);
        var retries = new Retries(_options.Reconnect, _options.TimeProvider, _options.Random);

        while (true)
        {
            using var deadline = new Deadline(WaitLimit, _options.TimeProvider, cancellationToken);

            try
            {
                using var request = _connection.Request(HttpMethod.Post, SessionPaths.Messages(id), json, key);
                request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
                using var response = await _connection.OpenAsync(request, deadline.Token).ConfigureAwait(false);

                if (!response.IsSuccessStatusCode)
                {
                    throw await _connection.RefusalAsync(response, deadline).ConfigureAwait(false);
                }

                retries.Answered();
                var answer = await _connection.ReadAsync(response, ApiJson.Default.TurnEnvelope, deadline).ConfigureAwait(false);

                if (answer.Turn.Status == "ended")
                {
                    return answer.Turn;
                }

                // Not a failure: the server would not hold the request any longer.
                retries.Progressed();
            }
            catch (Exception failure) when (deadline.IsOver && failure is (OperationCanceledException or AshConnectionException))
            {
                retries.Answered();
                continue;
            }
            catch (Exception failure)
                when (retries.MayRetry(failure) || (failure is AshConnectionException { InnerException: { } cause } && retries.MayRetry(cause)))
            {
                // The next attempt has the same key, so the message is not taken twice.
            }
            catch (HttpRequestException failure)
            {
                throw _connection.Unreachable(failure);
            }

            await retries.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc cref="SendMessageAndWaitAsync(Guid, SendMessageRequest, SendMessageOptions?, CancellationToken)"/>
    public Task<TurnInfo> SendMessageAndWaitAsync(Guid id, string text, CancellationToken cancellationToken = default) =>
        SendMessageAndWaitAsync(id, TextMessage(text, includePartialMessages: null), sending: null, cancellationToken);

    /// <summary>Reads the session's log: what was, then what comes, bridging breaks of the connection.</summary>
    /// <remarks>
    /// It ends with the turn's <c>done</c> where one turn was asked for, when the session is idle where that was asked for, and
    /// with the end of the session; at once where that lies before the cursor; otherwise only when the caller stops reading.
    /// </remarks>
    public IAsyncEnumerable<AshEvent> StreamAsync(
        Guid id, StreamOptions? stream = null, CancellationToken cancellationToken = default) =>
        EventStream.ReadAsync(
            _connection, new FollowRequest(_connection, id, stream ?? new StreamOptions()), _options, cancellationToken);

    private static SendMessageRequest TextMessage(string text, bool? includePartialMessages) => new()
    {
        Content = JsonSerializer.SerializeToElement(text, TextJson.Default.String),
        IncludePartialMessages = includePartialMessages,
    };

    private static byte[] Serialize(SendMessageRequest message) =>
        JsonSerializer.SerializeToUtf8Bytes(message, ApiJson.Default.SendMessageRequest);

    private string KeyOf(SendMessageOptions? sending) =>
        sending?.IdempotencyKey ?? Guid.CreateVersion7(_options.TimeProvider.GetUtcNow()).ToString();

    private Task<T> GetAsync<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancellationToken) =>
        _connection.CallAsync(HttpMethod.Get, path, answer, cancellationToken: cancellationToken);

    private async Task<SessionInfo> ActAsync(Guid id, string verb, CancellationToken cancellationToken)
    {
        var answer = await _connection
            .CallAsync(
                HttpMethod.Post, SessionPaths.Act(id, verb), ApiJson.Default.SessionEnvelope, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Session;
    }
}
