namespace Ash.Bridge.Tests.Sandboxes;

/// <summary>No wait for an event is longer than this: a test that would hang fails.</summary>
internal static class Deadline
{
    internal static CancellationToken Token =>
        CancellationTokenSource.CreateLinkedTokenSource(
            TestContext.Current.CancellationToken, new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token).Token;
}
