namespace Ash.Cli.Configuration;

/// <summary>Files and folders for their owner's eyes only.</summary>
internal static class PrivateFiles
{
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes a folder 0700; one that is there stays as it is.</summary>
    public static void CreateFolder(string path) => Directory.CreateDirectory(path, FileMode | UnixFileMode.UserExecute);

    /// <summary>Writes a file 0600 under another name, then puts it in place.</summary>
    public static void Replace(string path, string text)
    {
        var draft = $"{path}.{Guid.NewGuid():N}";

        try
        {
            using (var writer = new StreamWriter(draft, new FileStreamOptions
            {
                Mode = System.IO.FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = FileMode,
            }))
            {
                writer.Write(text);
            }

            File.Move(draft, path, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }
}
