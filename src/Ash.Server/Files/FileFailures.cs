using Ash.Server.Storage;

namespace Ash.Server.Files;

/// <summary>A workspace that cannot be read or written is the server's trouble, a full disk for one, and not the
/// request's.</summary>
internal static class FileFailures
{
    public static async ValueTask<object?> FilterAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        try
        {
            return await next(invocation);
        }
        catch (Exception failure) when (IsOfFiles(failure) && !invocation.HttpContext.RequestAborted.IsCancellationRequested)
        {
            throw new StoreException("Files of a session could not be read or written: " + failure.Message, failure);
        }
    }

    private static bool IsOfFiles(Exception failure) =>
        failure is UnauthorizedAccessException or (IOException and not BadHttpRequestException);
}
