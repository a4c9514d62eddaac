using System.Text.Json.Serialization;

namespace Ash.Protocol.Bridge;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(BridgeEvent))]
[JsonSerializable(typeof(BridgeCommand))]
public sealed partial class BridgeJson : JsonSerializerContext;
