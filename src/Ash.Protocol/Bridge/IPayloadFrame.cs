namespace Ash.Protocol.Bridge;

/// <summary>A header after which <see cref="Bytes"/> raw bytes follow.</summary>
public interface IPayloadFrame
{
    int Bytes { get; }
}
