namespace Ash.Server.Credentials;

/// <summary>A credential that was opened, for as long as somebody needs it.</summary>
internal sealed record OpenCredential(Guid Id, string Type, Secret Secret)
{
    /// <summary>The variables of a sandbox that is given the credential (contract 6.2).</summary>
    public IReadOnlyDictionary<string, string> Environment => Type switch
    {
        CredentialType.OpenAi => new Dictionary<string, string> { ["OPENAI_API_KEY"] = Secret.Reveal() },
        CredentialType.Custom => new Dictionary<string, string> { ["ASH_CUSTOM_API_KEY"] = Secret.Reveal() },
        CredentialType.Bedrock => BedrockSecret.TryRead(Secret.Reveal(), out _)?.Environment ?? new Dictionary<string, string>(),
        _ => throw new InvalidOperationException($"A credential of type {Type} is never in a sandbox's environment."),
    };
}
