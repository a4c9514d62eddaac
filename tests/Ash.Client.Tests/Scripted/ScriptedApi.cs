using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ash.Client.Tests.Scripted;

/// <summary>A real HTTP server on loopback that answers by script, and breaks connections where it is told to.</summary>
internal sealed class ScriptedApi : IAsyncDisposable
{
    /// <summary>In <see cref="Cuts"/>: the connection ends before anything is answered.</summary>
    public const int BeforeHeaders = -1;

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> _answers = new();
    private readonly ConcurrentDictionary<string, (Guid Turn, string Body)> _turns = new();

    private ScriptedApi(WebApplication app) => _app = app;

    public Uri Url => new(_app.Urls.First());

    public ConcurrentQueue<ScriptedRequest> Requests { get; } = new();

    /// <summary>The events of every turn.</summary>
    public IReadOnlyList<ScriptedEvent> Turn { get; set; } = [];

    /// <summary>For one stream after another: after how many bytes its connection breaks. Then none breaks.</summary>
    public ConcurrentQueue<int> Cuts { get; } = new();

    /// <summary>Whether a message's answer names its turn.</summary>
    public bool NamesTurn { get; set; } = true;

    /// <summary>How many turns were started: messages with a key that was not seen before.</summary>
    public int TurnsStarted => _turns.Count;

    public static async Task<ScriptedApi> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.UseShutdownTimeout(TimeSpan.Zero);
        var _app = builder.Build();
        var api = new ScriptedApi(_app);
        _app.Run(api.AnswerAsync);
        await _app.StartAsync();
        return api;
    }

    /// <summary>Answers a method and path, such as <c>GET /api/agents</c>, with JSON.</summary>
    public ScriptedApi On(string request, string json, int status = 200) => On(request, async context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.WriteAsync(json);
    });

    public ScriptedApi On(string request, Func<HttpContext, Task> answer)
    {
        _answers[request] = answer;
        return this;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    /// <summary>Writes the events after the request's cursor, and ends or breaks the connection.</summary>
    public async Task StreamAsync(HttpContext context, IEnumerable<ScriptedEvent> events)
    {
        var cut = Cuts.TryDequeue(out var next) ? next : int.MaxValue;

        if (cut == BeforeHeaders)
        {
            context.Abort();
            return;
        }

        var text = new StringBuilder(": hello\n\n");

        foreach (var one in events)
        {
            text.Append(one.Frame);
        }

        var bytes = Encoding.UTF8.GetBytes(text.ToString());
        context.Response.ContentType = "text/event-stream";

        if (cut < bytes.Length)
        {
            // Fewer bytes than promised: all of these arrive, then the connection ends. Abort would take some with it.
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes.AsMemory(0, cut));
            return;
        }

        await context.Response.Body.WriteAsync(bytes);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = await ScriptedRequest.ReadAsync(context.Request);
        Requests.Enqueue(request);

        if (_answers.TryGetValue($"{request.Method} {request.Path}", out var answer))
        {
            await answer(context);
        }
        else if (request.Method == "POST" && request.Path.EndsWith("/messages", StringComparison.Ordinal))
        {
            await AnswerMessageAsync(context, request);
        }
        else if (request.Method == "GET" && request.Path.EndsWith("/stream", StringComparison.Ordinal))
        {
            await StreamAsync(context, ScriptedEvent.After(Turn, request.LastEventId ?? context.Request.Query["after"]));
        }
        else
        {
            context.Response.StatusCode = 404;
            await context.Response.WriteAsync("""{"error":"Not found","statusCode":404,"code":"not_found"}""");
        }
    }

    private async Task AnswerMessageAsync(HttpContext context, ScriptedRequest request)
    {
        var started = _turns.GetOrAdd(request.IdempotencyKey ?? $"{Guid.NewGuid()}", _ => (Guid.CreateVersion7(), request.Body));

        if (started.Body != request.Body)
        {
            context.Response.StatusCode = 409;
            await context.Response.WriteAsync("""{"error":"The key was used for another message","statusCode":409}""");
            return;
        }

        if (NamesTurn)
        {
            context.Response.Headers["X-Ash-Turn-Id"] = $"{started.Turn}";
        }

        await StreamAsync(context, Turn);
    }
}
