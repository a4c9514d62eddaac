using Ash.Runner.Kernel;

namespace Ash.Runner.Workspaces;

/// <summary>Something in a workspace: a file, a folder or a link.</summary>
/// <param name="Path">From the workspace on.</param>
/// <param name="Description">As it was when it was met.</param>
/// <param name="Target">What a link says, whether there is such a thing or not; null for all else.</param>
internal sealed record WorkspaceEntry(string Path, FileDescription Description, string? Target);
