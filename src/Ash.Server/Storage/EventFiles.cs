using System.Globalization;
using Ash.Runner.Workspaces;
using Ash.Server.Events;

namespace Ash.Server.Storage;

/// <summary>Payloads above 1 MB, each in a file beside the database: <c>events/&lt;session&gt;/&lt;seq&gt;</c>.</summary>
/// <remarks>
/// A file is there, safe from power cuts, before its row is. Where a crash comes between them the file has no row: the next
/// row with that number replaces it, or nobody ever looks at it, and it goes with its session.
/// </remarks>
/// <param name="parent">The folder of all of them.</param>
/// <param name="maxRowBytes">Larger payloads go into files; <see cref="int.MaxValue"/> where the database takes them all.</param>
internal sealed class EventFiles(string parent, int maxRowBytes = EventFiles.SqliteRowBytes)
{
    /// <summary>What SQLite still reads and writes well inside a row.</summary>
    public const int SqliteRowBytes = 1024 * 1024;

    public bool IsTooLargeForRow(in EventRow row) => row.Payload.Length > maxRowBytes;

    /// <summary>Writes a payload so that it survives a power cut; to be called before its row is committed.</summary>
    /// <exception cref="StoreException">It could not be written.</exception>
    public async Task WriteAsync(Guid sessionId, EventRow row)
    {
        try
        {
            var folder = Folder(sessionId);
            if (!Directory.Exists(folder))
            {
                Directory.CreateDirectory(folder);
                DiskSync.Folder(parent);
                DiskSync.Folder(Path.GetDirectoryName(parent)!);
            }

            await using (var file = new FileStream(PathOf(sessionId, row.Seq), FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0))
            {
                await file.WriteAsync(row.Payload);
                file.Flush(flushToDisk: true);
            }

            DiskSync.Folder(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException("A large event could not be written: " + failure.Message, failure);
        }
    }

    /// <exception cref="StoreException">There is no such file, or it cannot be read.</exception>
    public byte[] Read(Guid sessionId, long seq)
    {
        try
        {
            return File.ReadAllBytes(PathOf(sessionId, seq));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"The payload of row {seq} of session {sessionId} cannot be read: {failure.Message}", failure);
        }
    }

    /// <summary>Removes all of a session's; harmless where there are none, or where somebody else removes them.</summary>
    public void Remove(Guid sessionId) => FolderRemoval.Remove(Folder(sessionId));

    private string Folder(Guid sessionId) => Path.Combine(parent, sessionId.ToString());

    private string PathOf(Guid sessionId, long seq) => Path.Combine(Folder(sessionId), seq.ToString(CultureInfo.InvariantCulture));
}
