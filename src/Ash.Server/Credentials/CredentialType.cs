namespace Ash.Server.Credentials;

/// <summary>What kinds of credentials there are (contract 1.10).</summary>
internal static class CredentialType
{
    /// <summary>Of the model's own API: the broker uses it, and no sandbox sees it.</summary>
    public const string Anthropic = "anthropic";

    public const string OpenAi = "openai";

    /// <summary>Its secret is JSON: <see cref="BedrockSecret"/>.</summary>
    public const string Bedrock = "bedrock";

    public const string Custom = "custom";

    public static readonly string[] All = [Anthropic, OpenAi, Bedrock, Custom];
}
