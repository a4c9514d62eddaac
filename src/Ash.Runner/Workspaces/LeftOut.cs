namespace Ash.Runner.Workspaces;

/// <summary>What of a bundle did not come into the workspace, and why: the first hundred of it, and how much it was.</summary>
internal sealed class LeftOut
{
    private const int MaxNamed = 100;

    private readonly List<(string Path, string Reason)> _named = [];

    public int Count { get; private set; }

    public IReadOnlyList<(string Path, string Reason)> Named => _named;

    public void Add(string path, string reason)
    {
        Count++;
        if (_named.Count < MaxNamed)
        {
            _named.Add((path, reason));
        }
    }
}
