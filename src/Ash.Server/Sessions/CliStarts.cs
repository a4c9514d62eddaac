namespace Ash.Server.Sessions;

/// <summary>Starts of the CLI that nobody waits for: at most one a core at a time, for each takes half a second of one.</summary>
internal sealed class CliStarts
{
    private readonly SemaphoreSlim _places = new(Environment.ProcessorCount);

    public async ValueTask<Gate.Pass> EnterAsync(CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        return new Gate.Pass(_places);
    }
}
