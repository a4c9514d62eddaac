namespace Ash.Client;

/// <summary>Where the server is, and how to talk to it.</summary>
public sealed record AshClientOptions
{
    /// <summary>Base address; a path in it is kept, for servers behind a prefix.</summary>
    public Uri ServerUrl { get; init; } = new("http://localhost:4100");

    /// <summary>Sent as bearer token; null sends none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Carries the requests, and stays the caller's to dispose. Null makes one that the client owns.</summary>
    public HttpMessageHandler? HttpMessageHandler { get; init; }

    /// <summary>An ordinary call without an answer for this long fails. Streams and waits for a turn have no such limit.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>How broken streams are taken up again.</summary>
    public ReconnectOptions Reconnect { get; init; } = new();

    /// <summary>Measures every wait.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Spreads the waits between attempts.</summary>
    public Random Random { get; init; } = Random.Shared;
}
