namespace Ash.Server.Sessions;

/// <summary>Lets one in at a time: <c>using (await gate.EnterAsync())</c>.</summary>
internal sealed class Gate
{
    private readonly SemaphoreSlim _semaphore = new(1, 1);

    public async ValueTask<Pass> EnterAsync()
    {
        await _semaphore.WaitAsync();
        return new Pass(_semaphore);
    }

    /// <summary>Opens the gate when it is disposed.</summary>
    public readonly struct Pass(SemaphoreSlim semaphore) : IDisposable
    {
        public void Dispose() => semaphore.Release();
    }
}
