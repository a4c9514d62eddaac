namespace Ash.Runner.Workspaces;

/// <summary>A session's folders on this machine.</summary>
/// <param name="Path">Holds both; the server's alone.</param>
public sealed record Workspace(string Path)
{
    /// <summary>Seen as <c>/workspace</c>.</summary>
    public string WorkPath => System.IO.Path.Combine(Path, "work");

    /// <summary>Seen as <c>/home/agent</c>.</summary>
    public string HomePath => System.IO.Path.Combine(Path, "home");
}
