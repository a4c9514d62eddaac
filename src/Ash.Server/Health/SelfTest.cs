using Ash.Runner.Sandboxes;

namespace Ash.Server.Health;

/// <summary>
/// One real sandbox, started and looked at; whoever asks meanwhile waits for the same result. No session gets a sandbox
/// before it has passed.
/// </summary>
internal sealed class SelfTest(ISandboxHost host)
{
    private readonly Lock _gate = new();
    private Task<IReadOnlyList<string>>? _running;

    /// <summary>So that nobody has to wait for it later.</summary>
    public void Begin() => _ = ResultAsync(CancellationToken.None);

    /// <returns>What is missing on this machine, each with its remedy; empty where sandboxes are safe to use.</returns>
    public Task<IReadOnlyList<string>> ResultAsync(CancellationToken cancellationToken)
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
