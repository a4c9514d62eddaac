using System.Text;
using System.Text.Json;

namespace Ash.Simulator.Requests;

/// <summary>A request that the scripted model received, and what became of it.</summary>
/// <remarks>All is fixed as the request arrives, except <see cref="Reply"/> and <see cref="Outcome"/>, which follow it.</remarks>
public sealed class RecordedRequest
{
    private volatile RequestReply? _reply;
    private volatile RequestOutcome? _outcome;

    /// <summary>Counts from 1, over all requests.</summary>
    public required long Number { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public required string Method { get; init; }

    /// <summary>The path without the query.</summary>
    public required string Path { get; init; }

    /// <summary>With its question mark, or empty.</summary>
    public required string Query { get; init; }

    /// <summary>By name, whatever its case.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The <c>request-id</c> header of the response.</summary>
    public required string RequestId { get; init; }

    /// <summary>The session that the Claude Code CLI says it is, or an empty string.</summary>
    public string SessionId => Headers.GetValueOrDefault("x-claude-code-session-id", "");

    /// <summary>Which step was chosen; null until then, and for requests that no script answers.</summary>
    public RequestReply? Reply
    {
        get => _reply;
        internal set => _reply = value;
    }

    /// <summary>How it ended; null while it runs.</summary>
    public RequestOutcome? Outcome
    {
        get => _outcome;
        internal set => _outcome = value;
    }

    public string BodyText => Encoding.UTF8.GetString(Body.Span);

    /// <summary>The body as JSON.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public JsonElement ReadBody()
    {
        using var document = JsonDocument.Parse(Body);
        return document.RootElement.Clone();
    }
}

/// <summary>What the scripted model read in a request, and where it found its reply.</summary>
/// <param name="Source"><c>queue</c>, <c>prompt</c>, a scenario's name or <c>default</c>, with <c>+end</c> past the last step.</param>
/// <param name="Step">The model's replies since the prompt.</param>
public sealed record RequestReply(string Source, string Prompt, int Step, IReadOnlyList<string> UserTexts);

/// <summary>How a request ended.</summary>
/// <param name="Status">The status sent; null when the connection was closed before one was.</param>
/// <param name="Description">Such as <c>200 stream</c>, <c>dropped</c> or <c>client went away</c>.</param>
public sealed record RequestOutcome(int? Status, string Description, TimeSpan Took);
