using Ash.Runner.Workspaces;
using Ash.Server.Storage;

namespace Ash.Server.Files;

/// <summary>A session's workspace, opened for one request.</summary>
/// <param name="Session">To be read only.</param>
/// <param name="Files">Owned.</param>
/// <param name="IsLive">Whether the session has a sandbox, which may change them meanwhile.</param>
internal sealed record SessionWorkspace(SessionRecord Session, WorkspaceFiles Files, bool IsLive) : IDisposable
{
    public string Source => IsLive ? "sandbox" : "snapshot";

    public void Dispose() => Files.Dispose();
}
