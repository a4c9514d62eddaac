using Ash.Runner.Workspaces;
using Ash.Server.Storage;
using Microsoft.Win32.SafeHandles;

namespace Ash.Server.Attachments;

/// <summary>The bytes of attachments: <c>attachments/&lt;session&gt;/&lt;id&gt;</c>, where no sandbox comes.</summary>
internal sealed class AttachmentFiles(DataFolder data)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>A new file, for its bytes; in the temporary folder until it is kept.</summary>
    public FileStream Make(Guid id) =>
        new(
            TemporaryPathOf(id),
            FileMode.CreateNew,
            FileAccess.ReadWrite,
            FileShare.Read,
            bufferSize: 0,
            FileOptions.DeleteOnClose);

    /// <summary>Gives the file its place, where it survives a power cut; it stays when it is closed.</summary>
    /// <returns>False where all of the session's are being removed.</returns>
    public bool TryKeep(Guid sessionId, Guid id, FileStream file)
    {
        file.Flush(flushToDisk: true);
        var folder = Folder(sessionId);
        try
        {
            Directory.CreateDirectory(folder, OwnerOnly);
            File.Move(TemporaryPathOf(id), PathOf(sessionId, id));
            DiskSync.Folder(folder);
        }
        catch (Exception failure) when (failure is DirectoryNotFoundException or FileNotFoundException)
        {
            return false;
        }

        DiskSync.Folder(data.Attachments);
        return true;
    }

    /// <summary>Gives another session a copy of its own.</summary>
    /// <returns>False where the file is gone, or that session's are.</returns>
    public async Task<bool> TryCopyAsync(Guid sessionId, Guid id, Guid newSessionId, Guid newId)
    {
        using var original = Open(sessionId, id);
        if (original is null)
        {
            return false;
        }

        await using var copy = Make(newId);
        await using var reading = new FileStream(original, FileAccess.Read);
        await reading.CopyToAsync(copy);
        return TryKeep(newSessionId, newId, copy);
    }

    /// <summary>Null where it is gone.</summary>
    public SafeFileHandle? Open(Guid sessionId, Guid id)
    {
        try
        {
            return File.OpenHandle(PathOf(sessionId, id));
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Harmless where there is none.</summary>
    public void Remove(Guid sessionId, Guid id)
    {
        try
        {
            File.Delete(PathOf(sessionId, id));
        }
        catch (DirectoryNotFoundException)
        {
        }
    }

    /// <summary>Removes all of a session's; harmless where there are none, or where somebody else removes or adds some.</summary>
    public void RemoveAll(Guid sessionId) => FolderRemoval.Remove(Folder(sessionId));

    private string TemporaryPathOf(Guid id) => Path.Combine(data.Temporary, $"attachment-{id}");

    private string Folder(Guid sessionId) => Path.Combine(data.Attachments, sessionId.ToString());

    private string PathOf(Guid sessionId, Guid id) => Path.Combine(Folder(sessionId), id.ToString());
}
