using Ash.Cli.Configuration;

namespace Ash.Cli.Servers;

/// <summary>The key that a new server makes and leaves in its data folder for whoever started it.</summary>
internal static class InitialKey
{
    /// <summary>Moves the key into the configuration; false where there is none to be read.</summary>
    public static bool Import(DataFolder folder, ConfigStore store)
    {
        string key;

        try
        {
            key = File.ReadAllText(folder.InitialKeyFile).Trim();
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return false;
        }

        if (key.Length == 0)
        {
            return false;
        }

        var config = store.Read();
        store.Write(config.ServerUrl is null ? config with { ApiKey = key } : config with { LocalApiKey = key });
        File.Delete(folder.InitialKeyFile);
        return true;
    }
}
