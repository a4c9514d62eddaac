namespace Ash.Bridge.Loop;

/// <summary>Something to do later, unless it is cancelled before.</summary>
internal sealed class LoopTimer(long dueMs, Action action)
{
    internal long DueMs { get; } = dueMs;

    internal bool IsCancelled { get; private set; }

    internal void Cancel() => IsCancelled = true;

    internal void Fire() => action();
}
