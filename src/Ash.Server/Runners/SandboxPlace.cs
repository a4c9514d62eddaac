namespace Ash.Server.Runners;

/// <summary>One sandbox's place on this machine; given back once nothing of the sandbox is left.</summary>
internal sealed class SandboxPlace(SandboxPlaces places) : IDisposable
{
    private int _isGivenBack;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isGivenBack, 1) == 0)
        {
            places.Release();
        }
    }
}
