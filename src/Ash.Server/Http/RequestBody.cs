namespace Ash.Server.Http;

/// <summary>The bytes of a request's body as they arrive.</summary>
internal static class RequestBody
{
    /// <summary>Reads some of it; 0 at its end.</summary>
    /// <exception cref="RefusedRequestException">It is not what its headers say: cut short, or in chunks that are none.</exception>
    public static async ValueTask<int> ReadAsync(Stream body, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException failure) when (failure is not BadHttpRequestException)
        {
            throw new RefusedRequestException("body cannot be read: it is cut short, or its chunks are none", failure);
        }
    }
}
