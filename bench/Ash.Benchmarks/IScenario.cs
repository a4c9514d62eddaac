namespace Ash.Benchmarks;

/// <summary>Something that users wait for or pay for, measured from outside on a server of its own.</summary>
internal interface IScenario
{
    /// <summary>As in <c>make bench NAME=…</c>.</summary>
    string Name { get; }

    Task<IReadOnlyList<Figure>> RunAsync(Effort effort);
}
