namespace Ash.Server.Storage;

/// <summary>Whether what was not synced may be gone since the last server ran on this data.</summary>
/// <param name="BootId">Another one after each loss: the machine's boot, or what takes its place where the database is elsewhere.</param>
/// <param name="PowerWasLost">The last server ran in another boot.</param>
internal sealed record BootRecord(string BootId, bool PowerWasLost)
{
    /// <summary>Of a store on this machine's disk.</summary>
    public static BootRecord Read(DataFolder data) => Compare(data, File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());

    public static BootRecord Compare(DataFolder data, string bootId) =>
        new(bootId, data.PreviousBootId is { } previous && previous != bootId);
}
