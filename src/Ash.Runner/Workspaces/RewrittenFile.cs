namespace Ash.Runner.Workspaces;

/// <summary>A file of a home that is not copied as it is.</summary>
/// <param name="Path">From the home on.</param>
/// <param name="Rewrite">Reads the file, a hostile program's, and writes what is to be there instead.</param>
public sealed record RewrittenFile(string Path, Action<Stream, Stream> Rewrite);
