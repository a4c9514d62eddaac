namespace Ash.Runner.Bundles;

/// <summary>The header of something in a tar archive, as it claims to be.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Path">As it stands there: it may lead anywhere.</param>
/// <param name="Target">Of a link.</param>
/// <param name="Size">Of the content that follows, in bytes; not negative.</param>
/// <param name="Mode">Its permission bits, without set-uid and its like.</param>
/// <param name="ModifiedAt">1970 where it says something impossible.</param>
internal sealed record ArchiveEntry(
    ArchiveEntryKind Kind, string Path, string Target, long Size, UnixFileMode Mode, DateTimeOffset ModifiedAt);

internal enum ArchiveEntryKind
{
    File,
    Folder,
    Link,

    /// <summary>Another name of a file that came before.</summary>
    HardLink,

    /// <summary>A pipe, a device, a sparse file, or what only its maker knows.</summary>
    Other,
}
