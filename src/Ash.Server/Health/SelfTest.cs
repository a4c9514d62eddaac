using Ash.Runner.Sandboxes;

namespace Ash.Server.Health;

/// <summary>One real sandbox, started and looked at once; whoever asks meanwhile waits for the same result.</summary>
internal sealed class SelfTest
{
    private readonly Lock _gate = new();
    private Task<IReadOnlyList<string>>? _running;

    public Task<IReadOnlyList<string>> ResultAsync(ISandboxHost host, CancellationToken cancellationToken)
    {
        Task<IReadOnlyList<string>> running;
        lock (_gate)
        {
            // A failed one is tried again: the operator may have mended what it named.
            if (_running is null or { IsCompletedSuccessfully: true, Result.Count: > 0 } or { IsFaulted: true })
            {
                _running = Task.Run(() => host.SelfTestAsync(CancellationToken.None), CancellationToken.None);
            }

            running = _running;
        }

        return running.WaitAsync(cancellationToken);
    }
}
