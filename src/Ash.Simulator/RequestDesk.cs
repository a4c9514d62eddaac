using System.Security.Cryptography;
using System.Text;
using Ash.Simulator.Replies;
using Ash.Simulator.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ash.Simulator;

/// <summary>Takes every request in: reads and records it, checks the key, has it answered, and notes how that ended.</summary>
internal sealed partial class RequestDesk(ModelSimulator simulator, IHostApplicationLifetime lifetime, ILogger<RequestDesk> logger)
{
    private const int TrustedBytes = 1024 * 1024;

    /// <param name="answer">Answers the request, and says how that went.</param>
    public async Task HandleAsync(HttpContext context, Func<Exchange, Task<string>> answer)
    {
        var clock = simulator.Options.Clock;
        var started = clock.GetTimestamp();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);

        var (body, fits) = await ReadBodyAsync(context, ended.Token);
        var recorded = Record(context.Request, body, clock.GetUtcNow());
        context.Response.Headers["request-id"] = recorded.RequestId;
        simulator.Log.Add(recorded);
        await WriteFileAsync(recorded); // a request that hangs is on disk, too

        var outcome = "failed";

        try
        {
            var exchange = new Exchange(simulator, context, recorded, ended.Token);

            outcome = !fits ? await exchange.SendErrorAsync(413, $"The request is larger than {SimulatorOptions.MaxBodyBytes} bytes.")
                : !HasKey(context.Request) ? await exchange.SendErrorAsync(401, "invalid x-api-key")
                : await answer(exchange);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            outcome = context.RequestAborted.IsCancellationRequested ? "client went away" : "stopped";
            context.Abort();
        }
        catch (ReplyDroppedException)
        {
            outcome = "dropped";
            throw;
        }
        finally
        {
            recorded.Outcome = new(StatusOf(context.Response, outcome), outcome, clock.GetElapsedTime(started));
            simulator.SayAnswered(recorded);
            LogAnswered(recorded.Number, recorded.Method, recorded.Path, recorded.Reply?.Source, outcome, recorded.Outcome.Took.TotalMilliseconds);
            await WriteFileAsync(recorded);
        }
    }

    private static int? StatusOf(HttpResponse response, string outcome) =>
        response.HasStarted || outcome.StartsWith($"{response.StatusCode}", StringComparison.Ordinal) ? response.StatusCode : null;

    private static async Task<(ReadOnlyMemory<byte> Body, bool Fits)> ReadBodyAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null; // the limit is ours, so that the answer has the API's shape
        }

        if (context.Request.ContentLength > SimulatorOptions.MaxBodyBytes)
        {
            return (default, false);
        }

        // The length is only a claim: not much is reserved on the word of it.
        using var body = new MemoryStream((int)Math.Min(context.Request.ContentLength ?? 0, TrustedBytes));
        var buffer = new byte[16 * 1024];

        for (int read; (read = await context.Request.Body.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (body.Length + read > SimulatorOptions.MaxBodyBytes)
            {
                return (default, false);
            }

            body.Write(buffer, 0, read);
        }

        return (body.Capacity == body.Length ? body.GetBuffer() : body.ToArray(), true);
    }

    private RecordedRequest Record(HttpRequest request, ReadOnlyMemory<byte> body, DateTimeOffset now) => new()
    {
        Number = simulator.Log.NextNumber(),
        ReceivedAt = now,
        Method = request.Method,
        Path = request.Path.Value ?? "",
        Query = request.QueryString.Value ?? "",
        Headers = request.Headers.ToDictionary(
            header => header.Key.ToLowerInvariant(), header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
        Body = body,
        RequestId = ReplyId.Request(),
    };

    private bool HasKey(HttpRequest request)
    {
        if (simulator.Options.RequiredKey is not { } required)
        {
            return true;
        }

        var authorization = request.Headers.Authorization.ToString();
        var given = request.Headers.TryGetValue("x-api-key", out var key) ? key.ToString()
            : authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? authorization["Bearer ".Length..]
            : "";

        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(required));
    }

    private Task WriteFileAsync(RecordedRequest recorded) => simulator.Files?.WriteAsync(recorded) ?? Task.CompletedTask;

    [LoggerMessage(LogLevel.Debug, "#{Number} {Method} {Path} {Source} -> {Outcome} ({Milliseconds:F0} ms)")]
    private partial void LogAnswered(long number, string method, string path, string? source, string outcome, double milliseconds);
}
