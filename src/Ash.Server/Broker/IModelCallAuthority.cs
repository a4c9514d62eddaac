namespace Ash.Server.Broker;

/// <summary>Knows which sandbox may call the model now, and keeps the account of its calls.</summary>
internal interface IModelCallAuthority
{
    /// <summary>Judges a call before it is forwarded; whatever must be true by then, such as that the turn has called, is done here.</summary>
    /// <param name="sandboxId">The sandbox whose socket the call came through.</param>
    /// <param name="tokenHash">SHA-256 of the token that the call carries, 32 bytes. It must be that of the same sandbox.</param>
    /// <param name="cancellationToken">The caller has gone.</param>
    ValueTask<ModelCallVerdict> AuthorizeAsync(
        string sandboxId, ReadOnlyMemory<byte> tokenHash, CancellationToken cancellationToken);

    /// <summary>Takes note of a call that was allowed, once it has ended, however it ended. Does not block and does not throw.</summary>
    void Record(ModelCall call);
}
