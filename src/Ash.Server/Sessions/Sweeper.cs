namespace Ash.Server.Sessions;

/// <summary>Removes now and then what has expired. A sweep that fails is tried again with the next, and never ends the server.</summary>
internal abstract class Sweeper(TimeSpan interval, TimeProvider clock) : BackgroundService
{
    protected TimeProvider Clock { get; } = clock;

    internal abstract Task SweepAsync(CancellationToken cancellationToken);

    protected abstract void LogSweepFailed(Exception failure);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, Clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SweepAsync(stoppingToken);
            }
#pragma warning disable CA1031 // The outermost loop of this work: a sweep that failed must not end the server.
            catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
            {
                LogSweepFailed(failure);
            }
        }
    }
}
