namespace Ash.Server.Storage;

/// <summary>Whether the machine went down since the last server ran on this data.</summary>
/// <param name="BootId">This boot's id.</param>
/// <param name="PowerWasLost">The last server ran in another boot: what was not synced may be gone.</param>
internal sealed record BootRecord(string BootId, bool PowerWasLost)
{
    public static BootRecord Read(DataFolder data)
    {
        var bootId = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        return new BootRecord(bootId, data.PreviousBootId is { } previous && previous != bootId);
    }
}
