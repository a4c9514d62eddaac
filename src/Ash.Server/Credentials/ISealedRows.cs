namespace Ash.Server.Credentials;

/// <summary>Rows of a table that hold sealed texts.</summary>
internal interface ISealedRows
{
    /// <summary>The rows with a text that an earlier release has left plain.</summary>
    Task<IReadOnlyList<Guid>> FindPlainAsync(CancellationToken cancellationToken);

    /// <summary>Seals the plain texts of a row; nothing where the row is gone.</summary>
    Task SealPlainAsync(Guid id);

    /// <summary>The rows with a text that does not begin as those do that the current key has sealed.</summary>
    Task<IReadOnlyList<Guid>> FindStaleAsync(string current, CancellationToken cancellationToken);

    /// <summary>Seals the texts of a row with the current key; nothing where the row is gone.</summary>
    /// <exception cref="SealedTextException">One of them cannot be opened: the row stays as it is.</exception>
    Task SealAnewAsync(Guid id);
}
