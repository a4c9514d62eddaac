using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ash.Cli.Configuration;

/// <summary><c>~/.ash/config.json</c>: which server the commands go to, and with which key.</summary>
internal sealed record CliConfig
{
    /// <summary>The linked server; null means the one of this machine.</summary>
    [JsonPropertyName("server_url")]
    public string? ServerUrl { get; init; }

    /// <summary>The key of the server that commands go to.</summary>
    [JsonPropertyName("api_key")]
    public string? ApiKey { get; init; }

    /// <summary>This machine's key, kept while another server is linked.</summary>
    [JsonPropertyName("local_api_key")]
    public string? LocalApiKey { get; init; }

    /// <summary>What other versions wrote; kept. The serializer needs to set it.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }
}
