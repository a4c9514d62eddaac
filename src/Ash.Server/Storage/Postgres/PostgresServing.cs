using Npgsql;

namespace Ash.Server.Storage.Postgres;

/// <summary>One server at a time uses a database: its writer holds a lock for as long as it is connected.</summary>
/// <remarks>
/// Two servers with a database in common and data folders of their own would take each other's sandboxes and workspaces for
/// lost. Postgres lets go of the lock when it sees that a connection has ended, a moment after its server was killed.
/// </remarks>
internal sealed class PostgresServing(PostgresAddress address)
{
    /// <summary>"ashserve", as a number.</summary>
    private const long LockKey = 0x6173687365727665;

    /// <exception cref="StoreException">Another server uses the database.</exception>
    public void Begin(NpgsqlConnection connection)
    {
        try
        {
            using var batch = new NpgsqlBatch(connection)
            {
                BatchCommands =
                {
                    new NpgsqlBatchCommand("SET lock_timeout = '10s'"),
                    new NpgsqlBatchCommand($"SELECT pg_advisory_lock({LockKey})"),
                    new NpgsqlBatchCommand("SET lock_timeout = 0"),
                },
            };
            batch.ExecuteNonQuery();
        }
        catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new StoreException($"the database {address} is in use by another server; stop that one, or give this one a database of its own", failure);
        }
    }
}
