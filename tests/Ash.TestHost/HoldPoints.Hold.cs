namespace Ash.Server.Storage;

/// <summary>
/// Where a test has put a file named after a hold point into <c>ASH_HOLD_DIRECTORY</c>, the server stops there for good: it
/// renames the file to <c>held-&lt;point&gt;</c> and waits to be killed.
/// </summary>
internal static partial class HoldPoints
{
    private static readonly string? Armed = Environment.GetEnvironmentVariable("ASH_HOLD_DIRECTORY");

    static partial void Hold(HoldPoint point)
    {
        if (Armed is null)
        {
            return;
        }

        var file = Path.Combine(Armed, point.ToString());
        if (!File.Exists(file))
        {
            return;
        }

        File.Move(file, Path.Combine(Armed, $"held-{point}"));
        Thread.Sleep(Timeout.Infinite);
    }
}
