using System.Text.Json;
using System.Text.Json.Nodes;
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
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(UpdateAgentRequest))]
[JsonSerializable(typeof(AgentConfigEnvelope))]
[JsonSerializable(typeof(CloneAgentRequest))]
[JsonSerializable(typeof(DeployListEnvelope))]
[JsonSerializable(typeof(RollBackRequest))]
[JsonSerializable(typeof(AgentFileListEnvelope))]
[JsonSerializable(typeof(AgentFileContent))]
[JsonSerializable(typeof(WriteAgentFilesRequest))]
[JsonSerializable(typeof(WrittenEnvelope))]
[JsonSerializable(typeof(DeletedEnvelope))]
[JsonSerializable(typeof(PromptVersionEnvelope))]
[JsonSerializable(typeof(PromptVersionListEnvelope))]
[JsonSerializable(typeof(PromptVersionRequest))]
[JsonSerializable(typeof(ActivatedEnvelope))]
[JsonSerializable(typeof(OkEnvelope))]
[JsonSerializable(typeof(SessionEnvelope))]
[JsonSerializable(typeof(SessionListEnvelope))]
[JsonSerializable(typeof(CreateSessionRequest))]
[JsonSerializable(typeof(SessionConfig))]
[JsonSerializable(typeof(UpdateSessionConfigRequest))]
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
