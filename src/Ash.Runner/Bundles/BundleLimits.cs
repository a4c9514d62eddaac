namespace Ash.Runner.Bundles;

/// <summary>What a bundle may hold. Enforced while it is read, so that no more than this is ever written for one.</summary>
/// <param name="Bytes">Of it, unpacked: contents, names and padding.</param>
/// <param name="Entries">Files, folders and links.</param>
internal sealed record BundleLimits(long Bytes, int Entries)
{
    /// <summary>Of all their paths together.</summary>
    public const long PathLetters = 16L * 1024 * 1024;

    public static BundleLimits Default { get; } = new(2L * 1024 * 1024 * 1024, 200_000);
}
