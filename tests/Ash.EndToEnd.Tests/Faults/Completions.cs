namespace Ash.EndToEnd.Tests.Faults;

internal static class Completions
{
    public static void SetOnce(this TaskCompletionSource source) => source.TrySetResult();
}
