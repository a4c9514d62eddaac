using SQLitePCL;

namespace Ash.Server.Storage.Sqlite;

/// <summary>SQLite itself, in this process.</summary>
internal static class SqliteLibrary
{
    private static readonly Lazy<bool> Loaded = new(Load);

    /// <summary>Loads it as the store needs it: to be called before anything else uses it.</summary>
    /// <exception cref="StoreException">Something has.</exception>
    public static void EnsureLoaded() => _ = Loaded.Value;

    /// <remarks>
    /// No connection is used by two threads at once, and nobody asks how much memory SQLite has: it need not lock for either,
    /// which is a sixth of what an event costs.
    /// </remarks>
    private static bool Load()
    {
        Batteries_V2.Init();
        Expect(raw.sqlite3_config(raw.SQLITE_CONFIG_MULTITHREAD));
        Expect(raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0));
        return true;
    }

    private static void Expect(int result)
    {
        if (result != raw.SQLITE_OK)
        {
            throw new StoreException($"SQLite error {result}: something in this process has used it before the store.");
        }
    }
}
