namespace Ash.Runner.Workspaces;

/// <summary>A file in a <see cref="StagingFolder"/>, not yet in its place.</summary>
/// <param name="Name">What it is called there.</param>
/// <param name="Content">To be written, and closed before it is moved; owned.</param>
internal sealed record StagedFile(string Name, FileStream Content) : IDisposable
{
    public void Dispose() => Content.Dispose();
}
