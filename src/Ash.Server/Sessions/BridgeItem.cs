using Ash.Protocol.Bridge;

namespace Ash.Server.Sessions;

/// <summary>A frame of the bridge and its bytes, where the session needs them.</summary>
internal readonly record struct BridgeItem(BridgeEvent Header, byte[]? Payload);
