using Ash.Server.Http;
using Orleans.Concurrency;

namespace Ash.Server.Sessions;

/// <inheritdoc cref="ISessionGrain"/>
/// <remarks>Reentrant: an interrupt must not wait behind a resume. The runtime's gates keep order.</remarks>
[Reentrant]
internal sealed class SessionGrain(SessionRuntimes runtimes, SessionForks forks) : Grain, ISessionGrain
{
    private SessionRuntime? _runtime;
    private int _calls;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var id = this.GetPrimaryKey();
        _runtime = await Task.Run(() => runtimes.OpenAsync(id, cancellationToken), cancellationToken);
        if (_runtime is not null)
        {
            // Its sandbox, its queue and its viewers' tail live as long as this does; the idle sweep lets it go.
            DelayDeactivation(Timeout.InfiniteTimeSpan);
        }

        // Where there is no such session this says so, and goes when nobody has asked for a while: one that went at once would have
        // its first call passed on to the next such one, and that one's, until it is given up.
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_runtime is { } runtime)
        {
            await Task.Run(() => runtimes.CloseAsync(runtime), CancellationToken.None);
        }
    }

    public Task ActivateAsync() => Task.CompletedTask;

    /// <remarks>No other call is in the runtime, and one that comes now is given to the next activation.</remarks>
    public Task ReleaseAsync()
    {
        if (_calls == 0 && _runtime is not { IsBusy: true })
        {
            DelayDeactivation(TimeSpan.Zero);
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }

    public Task<Problem?> StartAsync() => OnPoolAsync<Problem?>(static runtime => runtime.StartAsync(), static () => Problems.UnknownSession);

    public Task<SubmitMessage.Outcome> SubmitAsync(SubmitMessage message) => OnPoolAsync(
        runtime => runtime.SubmitAsync(message), static () => new SubmitMessage.Refused(Problems.UnknownSession));

    public Task<Interruption> InterruptAsync() => OnPoolAsync(
        static async runtime =>
        {
            var result = await runtime.InterruptAsync();
            return new Interruption(result.Interrupted, result.TurnId, null);
        },
        static () => new Interruption(false, null, Problems.UnknownSession));

    public Task<Problem?> ConfigureAsync(string change) =>
        OnPoolAsync<Problem?>(runtime => runtime.ConfigureAsync(change), static () => Problems.UnknownSession);

    public Task<ForkSession> ForkAsync(IdempotencyKey? key) => OnPoolAsync<ForkSession>(
        runtime => runtime.ForkAsync(state => forks.ForkAsync(state, key)),
        static () => new ForkSession.Refused(Problems.UnknownSession));

    public Task<Problem?> PauseAsync() => OnPoolAsync<Problem?>(static runtime => runtime.PauseAsync("requested"), static () => Problems.UnknownSession);

    public Task<Problem?> StopAsync() => OnPoolAsync<Problem?>(static runtime => runtime.StopAsync(), static () => Problems.UnknownSession);

    public Task<Problem?> ResumeAsync() => OnPoolAsync<Problem?>(static runtime => runtime.ResumeAsync(), static () => Problems.UnknownSession);

    public async Task<Problem?> EndAsync(bool purge)
    {
        var problem = await OnPoolAsync<Problem?>(
            async runtime =>
            {
                await runtime.EndAsync();
                if (purge)
                {
                    await runtimes.PurgeAsync(runtime);
                }

                return null;
            },
            static () => Problems.UnknownSession);

        if (purge)
        {
            _runtime = null;
        }

        DelayDeactivation(TimeSpan.Zero);
        DeactivateOnIdle();
        return problem;
    }

    public Task<ExecAnswer> ExecAsync(string command, int timeoutMs, CancellationToken cancellationToken) => OnPoolAsync(
        async runtime =>
        {
            var (result, problem) = await runtime.ExecAsync(command, timeoutMs, cancellationToken);
            return ExecAnswer.From(result, problem);
        },
        static () => ExecAnswer.From(null, Problems.UnknownSession));

    /// <summary>Off the grain's own scheduler: what a runtime starts there would be bound to it for good.</summary>
    private async Task<T> OnPoolAsync<T>(Func<SessionRuntime, Task<T>> work, Func<T> unknown)
    {
        if (_runtime is not { } runtime)
        {
            return unknown();
        }

        _calls++;
        try
        {
            return await Task.Run(() => work(runtime));
        }
        finally
        {
            _calls--;
        }
    }
}
