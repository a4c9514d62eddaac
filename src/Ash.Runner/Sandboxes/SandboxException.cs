namespace Ash.Runner.Sandboxes;

/// <summary>A sandbox could not be started or reached; the message names the layer and the remedy.</summary>
public class SandboxException : Exception
{
    public SandboxException()
    {
    }

    public SandboxException(string message)
        : base(message)
    {
    }

    public SandboxException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
