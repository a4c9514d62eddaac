namespace Ash.Protocol.Bridge;

/// <summary>The other side does not speak the protocol; the connection is of no further use.</summary>
public sealed class FrameException : Exception
{
    public FrameException()
    {
    }

    public FrameException(string message)
        : base(message)
    {
    }

    public FrameException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
