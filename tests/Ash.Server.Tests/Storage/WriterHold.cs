using Ash.Server.Storage;

namespace Ash.Server.Tests.Storage;

/// <summary>Keeps the writer in a delegate, so that what follows queues up behind it.</summary>
internal sealed class WriterHold : IDisposable
{
    private const int LimitMs = 30_000;
    private readonly ManualResetEventSlim _entered = new();
    private readonly ManualResetEventSlim _released = new();
    private readonly Task _write;

    public WriterHold(StoreWriter writer)
    {
        _write = writer.WriteAsync(Durability.Process, _ =>
        {
            _entered.Set();
            _released.Wait(TimeSpan.FromMilliseconds(LimitMs));
        });
        _entered.Wait(TimeSpan.FromMilliseconds(LimitMs));
    }

    public void Release() => _released.Set();

    public void Dispose()
    {
        _released.Set();
        _write.ContinueWith(static write => write.Exception, TaskScheduler.Default).Wait(LimitMs);
        _entered.Dispose();
        _released.Dispose();
    }
}
