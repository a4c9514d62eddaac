using Ash.Server.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Ash.Server.Tests.Storage;

/// <summary>Contexts of a store that, so many times, cannot be read.</summary>
internal sealed class FailingContexts : IDbContextFactory<AshDbContext>
{
    private IDbContextFactory<AshDbContext> _inner = null!; // Set before the server is built.
    private int _failuresLeft;

    public int FailuresLeft
    {
        get => Volatile.Read(ref _failuresLeft);
        set => Volatile.Write(ref _failuresLeft, value);
    }

    /// <summary>Puts itself between the server and its store.</summary>
    public void Replace(IServiceCollection services)
    {
        var registered = services.Single(service => service.ServiceType == typeof(IDbContextFactory<AshDbContext>));
        _inner = (IDbContextFactory<AshDbContext>)registered.ImplementationInstance!;
        services.Remove(registered);
        services.AddSingleton<IDbContextFactory<AshDbContext>>(this);
    }

    public AshDbContext CreateDbContext()
    {
        if (FailuresLeft > 0)
        {
            Interlocked.Decrement(ref _failuresLeft);
            throw new SqliteException("disk I/O error", 10);
        }

        return _inner.CreateDbContext();
    }
}
