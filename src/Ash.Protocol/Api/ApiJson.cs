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
[JsonSerializable(typeof(FileListing))]
[JsonSerializable(typeof(FileText))]
[JsonSerializable(typeof(WriteFilesRequest))]
[JsonSerializable(typeof(WriteFilesResult))]
[JsonSerializable(typeof(WriteFileResult))]
[JsonSerializable(typeof(DeleteFileResult))]
[JsonSerializable(typeof(RestoreWorkspaceRequest))]
[JsonSerializable(typeof(RestoreWorkspaceResult))]
[JsonSerializable(typeof(AttachmentEnvelope))]
[JsonSerializable(typeof(AttachmentListEnvelope))]
[JsonSerializable(typeof(CreateAttachmentRequest))]
[JsonSerializable(typeof(HealthInfo))]
[JsonSerializable(typeof(ReadinessInfo))]
public sealed partial class ApiJson : JsonSerializerContext;
