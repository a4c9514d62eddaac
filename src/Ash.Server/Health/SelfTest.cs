using Ash.Runner.Sandboxes;

namespace Ash.Server.Health;

/// <summary>
/// One real sandbox, started and looked at; whoever asks meanwhile waits for the same result. No session gets a sandbox
/// before it has passed.
/// </summary>
internal sealed class SelfTest(ISandboxHost host) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closing = new();
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
                _running = Task.Run(() => host.SelfTestAsync(_closing.Token), CancellationToken.None);
            }

            running = _running;
        }

        return running.WaitAsync(cancellationToken);
    }

    /// <summary>Nothing of its sandbox stays where the server stops meanwhile.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await (_running ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }
}
