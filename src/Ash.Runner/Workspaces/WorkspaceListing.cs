using System.Collections;

namespace Ash.Runner.Workspaces;

/// <summary>What is in a workspace: the deployed agent's read-only files, then all else.</summary>
internal sealed class WorkspaceListing(FolderWalk? content, FolderWalk work) : IEnumerable<WorkspaceEntry>
{
    /// <summary>Whether there was more than could be read; known once it was read.</summary>
    public bool IsCut => work.IsCut || content is { IsCut: true };

    public IEnumerator<WorkspaceEntry> GetEnumerator() =>
        (content ?? Enumerable.Empty<WorkspaceEntry>()).Concat(work).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
