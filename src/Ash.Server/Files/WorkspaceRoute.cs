using Ash.Server.Http;

namespace Ash.Server.Files;

/// <summary>The workspace of the session that a route names, if it is the caller's, and is there.</summary>
/// <param name="Workspace">Owned by whoever asked; null where there is a problem.</param>
/// <param name="Problem">Why there is none.</param>
internal readonly record struct WorkspaceRoute(SessionWorkspace? Workspace, Problem? Problem);
