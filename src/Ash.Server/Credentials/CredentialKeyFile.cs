using System.Security.Cryptography;
using Ash.Server.Storage;

namespace Ash.Server.Credentials;

/// <summary>The key that the server makes where the operator names none: 32 random bytes that only its user can read.</summary>
internal static class CredentialKeyFile
{
    private const int Bytes = 32;

    /// <summary>The key in the data folder, or null where none was needed yet.</summary>
    /// <exception cref="IOException">The file is not what the server wrote, or cannot be read.</exception>
    public static CredentialKey? TryRead(DataFolder data)
    {
        if (!File.Exists(data.CredentialKey))
        {
            return null;
        }

        var bytes = File.ReadAllBytes(data.CredentialKey);
        return bytes.Length == Bytes
            ? CredentialKey.FromBytes(bytes)
            : throw new IOException(
                $"{data.CredentialKey} is damaged: it has {bytes.Length} bytes, not {Bytes}; restore it from a backup");
    }

    /// <summary>Makes the file, whole or not at all: what is sealed with its key must never outlive it.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static CredentialKey Make(DataFolder data)
    {
        var bytes = RandomNumberGenerator.GetBytes(Bytes);
        var beginning = data.CredentialKey + ".new";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var file = new FileStream(beginning, options))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }

        File.Move(beginning, data.CredentialKey);
        DiskSync.Folder(data.Path);
        return CredentialKey.FromBytes(bytes);
    }
}
