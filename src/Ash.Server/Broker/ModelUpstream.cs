namespace Ash.Server.Broker;

/// <summary>Where model calls go, and the credential they get there. The key is held in this process's memory only.</summary>
internal sealed class ModelUpstream
{
    public const string AnthropicApi = "https://api.anthropic.com";

    /// <summary>An absolute http or https address; a path in it precedes <c>/v1/messages</c>. <c>ASH_MODEL_BASE_URL</c>.</summary>
    public string BaseUrl { get; set; } = AnthropicApi;

    /// <summary>Sent as <c>x-api-key</c>, never to <see cref="SocketPath"/>; null sends none. <c>ANTHROPIC_API_KEY</c>.</summary>
    public string? ApiKey { get; set; }

    /// <summary>A Unix socket that is connected to instead of the host in <see cref="BaseUrl"/>: the scripted model.</summary>
    public string? SocketPath { get; set; }

    /// <summary>Whether a call without a key of its own can succeed at all: the real API answers nobody without one.</summary>
    public bool IsConfigured => ApiKey is not null || SocketPath is not null || !IsAnthropicApi;

    private bool IsAnthropicApi =>
        Uri.TryCreate(BaseUrl, UriKind.Absolute, out var address)
        && address.Host.Equals("api.anthropic.com", StringComparison.OrdinalIgnoreCase);

    public void Read(IConfiguration configuration)
    {
        BaseUrl = configuration["ASH_MODEL_BASE_URL"] is { Length: > 0 } address ? address : AnthropicApi;
        ApiKey = configuration["ANTHROPIC_API_KEY"] is { Length: > 0 } key ? key : null;
    }
}
