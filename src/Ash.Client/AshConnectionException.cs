namespace Ash.Client;

/// <summary>No server answered, or the connection was lost and could not be made again.</summary>
public sealed class AshConnectionException : AshException
{
    /// <param name="serverUrl">Where a server was looked for.</param>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">The failure below, where there is one.</param>
    public AshConnectionException(Uri serverUrl, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        ServerUrl = serverUrl;
    }

    /// <summary>Where a server was looked for.</summary>
    public Uri ServerUrl { get; }
}
