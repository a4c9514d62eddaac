namespace Ash.Client;

/// <summary>What goes wrong between this client and a server: <see cref="AshApiException"/> or <see cref="AshConnectionException"/>.</summary>
public abstract class AshException : Exception
{
    private protected AshException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
