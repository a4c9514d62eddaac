using System.Data.Common;

namespace Ash.Server.Storage;

/// <summary>The store did not take a write; nothing of it was kept.</summary>
internal sealed class StoreException : Exception
{
    public StoreException()
    {
    }

    public StoreException(string message)
        : base(message)
    {
    }

    public StoreException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Whether a failure is of the store or its files, and so may pass: a full disk, a folder that cannot be read for the moment.</summary>
    public static bool MayPass(Exception failure) => failure is StoreException or DbException or IOException or UnauthorizedAccessException;
}
