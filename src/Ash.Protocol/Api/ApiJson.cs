using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ash.Protocol.Api;

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    RespectNullableAnnotations = true,
    MaxDepth = 320, // A turn shows the usage as the agent's line has it, which may be nested 256 deep.
    Converters = [typeof(TimestampConverter)])]
[JsonSerializable(typeof(ApiError))]
[JsonSerializable(typeof(AgentEnvelope))]
[JsonSerializable(typeof(AgentListEnvelope))]
[JsonSerializable(typeof(DeployAgentRequest))]
[JsonSerializable(typeof(OkEnvelope))]
[JsonSerializable(typeof(SessionEnvelope))]
[JsonSerializable(typeof(SessionListEnvelope))]
[JsonSerializable(typeof(CreateSessionRequest))]
[JsonSerializable(typeof(SendMessageRequest))]
[JsonSerializable(typeof(TurnEnvelope))]
[JsonSerializable(typeof(InterruptResult))]
[JsonSerializable(typeof(ExecRequest))]
[JsonSerializable(typeof(ExecResult))]
[JsonSerializable(typeof(MessageListEnvelope))]
[JsonSerializable(typeof(SessionEventListEnvelope))]
[JsonSerializable(typeof(ApiKeyListEnvelope))]
[JsonSerializable(typeof(CreateApiKeyRequest))]
[JsonSerializable(typeof(CreatedApiKey))]
[JsonSerializable(typeof(CreateTenantApiKeyRequest))]
[JsonSerializable(typeof(CreatedTenantApiKey))]
[JsonSerializable(typeof(CredentialEnvelope))]
[JsonSerializable(typeof(CredentialListEnvelope))]
[JsonSerializable(typeof(CreateCredentialRequest))]
[JsonSerializable(typeof(HealthInfo))]
[JsonSerializable(typeof(ReadinessInfo))]
public sealed partial class ApiJson : JsonSerializerContext;
