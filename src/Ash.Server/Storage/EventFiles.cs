using System.Globalization;
using Ash.Server.Events;

namespace Ash.Server.Storage;

/// <summary>Payloads above 1 MB, each in a file beside the database: <c>events/&lt;session&gt;/&lt;seq&gt;</c>.</summary>
internal sealed class EventFiles(StoreLocation location)
{
    private const int MaxRowBytes = 1024 * 1024;

    public static bool IsTooLargeForRow(in EventRow row) => row.Payload.Length > MaxRowBytes;

    /// <summary>Writes a payload so that it survives a power cut; to be called before its row is committed.</summary>
    public async Task WriteAsync(Guid sessionId, EventRow row)
    {
        Directory.CreateDirectory(Folder(sessionId));
        await using var file = new FileStream(PathOf(sessionId, row.Seq), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        await file.WriteAsync(row.Payload);
        file.Flush(flushToDisk: true);
    }

    public byte[] Read(Guid sessionId, long seq) => File.ReadAllBytes(PathOf(sessionId, seq));

    /// <summary>Removes all of a session's; harmless where there are none.</summary>
    public void Remove(Guid sessionId)
    {
        if (Directory.Exists(Folder(sessionId)))
        {
            Directory.Delete(Folder(sessionId), recursive: true);
        }
    }

    private string Folder(Guid sessionId) => Path.Combine(location.EventFiles, sessionId.ToString());

    private string PathOf(Guid sessionId, long seq) => Path.Combine(Folder(sessionId), seq.ToString(CultureInfo.InvariantCulture));
}
