using Ash.Runner.Sandboxes;

namespace Ash.Server.Credentials;

/// <summary>What is stored sealed cannot be opened. No sandbox is started without what it should have been told.</summary>
internal sealed class SealedTextException : SandboxException
{
    public SealedTextException()
    {
    }

    public SealedTextException(string message)
        : base(message)
    {
    }

    public SealedTextException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
