namespace Ash.Runner.Kernel;

/// <summary>Waits for what the kernel does in its own time and tells nobody about.</summary>
internal static class Patience
{
    private static readonly TimeSpan firstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan longestPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Asks again and again, ever more rarely.</summary>
    /// <returns>False where it has not come true within <paramref name="limit"/>.</returns>
    public static Task<bool> WaitAsync(Func<bool> isSo, TimeSpan limit, TimeProvider clock, CancellationToken cancellationToken) =>
        WaitAsync(() => Task.FromResult(isSo()), limit, clock, cancellationToken);

    public static async Task<bool> WaitAsync(
        Func<Task<bool>> isSo, TimeSpan limit, TimeProvider clock, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        var pause = firstPause;
        while (!await isSo())
        {
            if (clock.GetElapsedTime(begun) >= limit)
            {
                return false;
            }

            await Task.Delay(pause, clock, cancellationToken);
            pause = pause * 2 < longestPause ? pause * 2 : longestPause;
        }

        return true;
    }
}
