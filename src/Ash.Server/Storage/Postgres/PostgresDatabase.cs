using Npgsql;

namespace Ash.Server.Storage.Postgres;

/// <summary>How connections to a database are opened: one that writes, and a pool of those that only read.</summary>
internal sealed class PostgresDatabase(PostgresAddress address) : IDisposable
{
    /// <summary>So many may read at once; others wait. With the writer's it stays far below the 100 that Postgres allows.</summary>
    internal const int MaxReaders = 20;

    private const int ConnectSeconds = 10;
    private const int CommandSeconds = 30;

    public PostgresAddress Address => address;

    /// <summary>For EF's readers and those of the log: they cannot write, and their connections are kept.</summary>
    public string ReaderConnectionString { get; } = new NpgsqlConnectionStringBuilder(Describe(address).ConnectionString)
    {
        Pooling = true,
        MaxPoolSize = MaxReaders,

        // Nothing of what a reader does to its connection outlives the query.
        NoResetOnClose = true,
        Options = "-c default_transaction_read_only=on",
    }.ConnectionString;

    /// <summary>A connection that may write, not opened yet.</summary>
    public NpgsqlConnection MakeWriter() => new(Describe(address).ConnectionString);

    public void Dispose() => ForgetReaders();

    /// <summary>Closes the readers' connections, each once nobody reads on it; the next readers open others.</summary>
    public void ForgetReaders()
    {
        using var any = new NpgsqlConnection(ReaderConnectionString);
        NpgsqlConnection.ClearPool(any);
    }

    private static NpgsqlConnectionStringBuilder Describe(PostgresAddress address)
    {
        var description = new NpgsqlConnectionStringBuilder
        {
            Host = address.Host,
            Port = address.Port,
            Database = address.Database,
            Username = address.User,
            Password = address.Password,
            ApplicationName = "ash-server",
            Pooling = false,
            Timeout = ConnectSeconds,
            CommandTimeout = CommandSeconds,

            // Of a batch that fails, the writer must know which delegate it was.
            IncludeFailedBatchedCommand = true,

            // A statement that was sent twice is prepared; there are about a hundred of EF's and ours.
            MaxAutoPrepare = 200,
            AutoPrepareMinUsages = 2,
            TcpKeepAlive = true,
            TcpKeepAliveTime = 30,
            TcpKeepAliveInterval = 10,
        };
        foreach (var (name, value) in address.Options)
        {
            var (word, translated) = PostgresOptions.Translate(name, value);
            description[word] = translated;
        }

        return description;
    }
}
