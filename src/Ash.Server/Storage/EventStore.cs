using System.Runtime.CompilerServices;
using Ash.Server.Events;
using Microsoft.Data.Sqlite;

namespace Ash.Server.Storage;

/// <summary>Reads the logs. Any number of readers at a time, each on a connection of the pool.</summary>
internal sealed class EventStore(StoreLocation location, EventFiles files) : IEventPages
{
    private const int MaxPageBytes = 1024 * 1024;

    /// <summary>A gap of at least this is what a power cut left; a smaller one is what was removed since.</summary>
    private const long PowerLossGap = 1_000_000;

    private readonly string _connectionString = new SqliteConnectionStringBuilder(location.ConnectionString(readOnly: true))
    {
        Mode = SqliteOpenMode.ReadOnly,
        Pooling = true,
    }.ToString();

    public ValueTask<EventPage> ReadAsync(Guid session, long afterSeq, int limit, CancellationToken cancellationToken)
    {
        // SQLite has no asynchronous reads; a page comes from the page cache in well under a millisecond.
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT seq, turn_id, type, at, payload FROM events WHERE session_id = $session AND seq > $after ORDER BY seq LIMIT $limit
            """;
        command.Parameters.AddWithValue("$session", session.ToByteArray(bigEndian: true));
        command.Parameters.AddWithValue("$after", afterSeq);
        command.Parameters.AddWithValue("$limit", limit);

        var rows = new List<EventRow>();
        List<SeqRange>? pruned = null;
        var bytes = 0;
        var previous = afterSeq;
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var row = Read(session, reader);
            if (row.Seq > previous + 1 && row.Seq - previous < PowerLossGap)
            {
                (pruned ??= []).Add(new SeqRange(previous + 1, row.Seq - 1));
            }

            rows.Add(row);
            previous = row.Seq;
            bytes += row.Payload.Length;
            if (bytes > MaxPageBytes)
            {
                return ValueTask.FromResult(new EventPage(rows, HasMore: true, pruned ?? []));
            }

            cancellationToken.ThrowIfCancellationRequested();
        }

        return ValueTask.FromResult(new EventPage(rows, HasMore: rows.Count == limit, pruned ?? []));
    }

    /// <summary>Every row after <paramref name="afterSeq"/>, as far as there is one now.</summary>
    public async IAsyncEnumerable<EventRow> ReadAllAsync(
        Guid session, long afterSeq, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const int pageRows = 500;
        EventPage page;
        do
        {
            page = await ReadAsync(session, afterSeq, pageRows, cancellationToken);
            foreach (var row in page.Rows)
            {
                yield return row;
                afterSeq = row.Seq;
            }
        }
        while (page.HasMore);
    }

    /// <summary>One row that is known to exist.</summary>
    public async Task<EventRow> ReadRowAsync(Guid session, long seq, CancellationToken cancellationToken)
    {
        var page = await ReadAsync(session, seq - 1, limit: 1, cancellationToken);
        return page.Rows is [var row] && row.Seq == seq ? row : throw new StoreException($"Row {seq} of session {session} is not stored.");
    }

    /// <summary>Number of the newest row; 0 where there is none.</summary>
    public async Task<long> FindHeadAsync(Guid session, CancellationToken cancellationToken)
    {
        await using var connection = Open();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT MAX(seq) FROM events WHERE session_id = $session";
        command.Parameters.AddWithValue("$session", session.ToByteArray(bigEndian: true));
        return await command.ExecuteScalarAsync(cancellationToken) is long head ? head : 0;
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return connection;
    }

    private EventRow Read(Guid session, SqliteDataReader reader)
    {
        var seq = reader.GetInt64(0);
        if (!EventTypes.TryParse(reader.GetString(2), out var type))
        {
            throw new StoreException($"Row {seq} of session {session} has the unknown type {reader.GetString(2)}.");
        }

        return new EventRow(
            seq,
            reader.IsDBNull(1) ? null : new Guid(reader.GetFieldValue<byte[]>(1), bigEndian: true),
            type,
            DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(3)),
            reader.IsDBNull(4) ? files.Read(session, seq) : reader.GetFieldValue<byte[]>(4));
    }
}
