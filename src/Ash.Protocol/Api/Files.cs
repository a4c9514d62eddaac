using System.Text.Json.Serialization;

namespace Ash.Protocol.Api;

/// <summary>A file of a session's workspace.</summary>
/// <param name="Path">From the workspace on, with <c>/</c> between names.</param>
/// <param name="Size">In bytes.</param>
/// <param name="ModifiedAt">When its content was last changed.</param>
public sealed record FileEntry(string Path, long Size, DateTimeOffset ModifiedAt);

public sealed record FileListing
{
    public required IReadOnlyList<FileEntry> Files { get; init; }

    /// <summary><c>sandbox</c> where the session has a live one, else <c>snapshot</c>: the files as they were kept.</summary>
    public required string Source { get; init; }

    /// <summary>Whether there are more files than a listing shows; absent where there are not.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Truncated { get; init; }
}

/// <summary>A file as text.</summary>
/// <param name="Path">From the workspace on.</param>
/// <param name="Content">UTF-8; what is none is replaced.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Source">As in <see cref="FileListing.Source"/>.</param>
public sealed record FileText(string Path, string Content, long Size, string Source);

public sealed record WriteFilesRequest
{
    /// <summary>1 to 500 files of at most 50 MB, and 100 MB together.</summary>
    public required IReadOnlyList<WriteFileInput> Files { get; init; }

    /// <summary>The folder that their paths begin in; <c>.</c>, the workspace, where absent.</summary>
    public string? TargetPath { get; init; }
}

/// <param name="Path">From the target folder on.</param>
/// <param name="Content">Base64.</param>
/// <param name="MimeType">Of no effect.</param>
public sealed record WriteFileInput(string Path, string Content, string? MimeType = null);

/// <param name="Files">One for each file that was sent, in the same order.</param>
public sealed record WriteFilesResult(IReadOnlyList<WriteFileResult> Files);

/// <param name="Path">As it was sent.</param>
/// <param name="Written">Whether the file is there now.</param>
/// <param name="Size">In bytes, where it was written.</param>
/// <param name="Error">Why it was not.</param>
public sealed record WriteFileResult(
    string Path,
    bool Written,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Size = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error = null);

public sealed record DeleteFileResult(string Path, bool Deleted);

/// <param name="Bundle">A gzipped tar archive in base64.</param>
public sealed record RestoreWorkspaceRequest(string Bundle);

/// <summary>What became of a bundle.</summary>
public sealed record RestoreWorkspaceResult
{
    public required string Message { get; init; }

    /// <summary>How many files and links were written.</summary>
    public required int Written { get; init; }

    /// <summary>How many entries were left out.</summary>
    public required int Skipped { get; init; }

    /// <summary>The first hundred of those, with the reasons.</summary>
    public required IReadOnlyList<SkippedEntry> SkippedEntries { get; init; }
}

public sealed record SkippedEntry(string Path, string Reason);
