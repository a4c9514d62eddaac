using Ash.Server.Events;
using Npgsql;
using NpgsqlTypes;

namespace Ash.Server.Storage.Postgres;

/// <summary>Rows of Postgres' logs, each page on a connection of the readers' pool.</summary>
internal sealed class PostgresEventRows(PostgresDatabase database) : IEventRows
{
    /// <summary>The sum over what comes before a row ends the page in the database: what is not wanted is not sent.</summary>
    internal const string RowsQuery = """
        SELECT seq, turn_id, type, at, payload FROM (
            SELECT seq, turn_id, type, at, payload,
                SUM(octet_length(payload)) OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
            FROM (SELECT seq, turn_id, type, at, payload FROM events WHERE session_id = $1 AND seq > $2 ORDER BY seq LIMIT $3) AS rows
        ) AS page
        WHERE bytes_before IS NULL OR bytes_before <= $4 ORDER BY seq
        """;

    internal const string HeadQuery = "SELECT COALESCE(MAX(seq), 0) FROM events WHERE session_id = $1";

    public async ValueTask ReadAsync(
        Guid session, long afterSeq, int limit, int maxBytes, Action<EventRow> take, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(database.ReaderConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(RowsQuery, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = session },
                new NpgsqlParameter<long> { TypedValue = afterSeq },
                new NpgsqlParameter<int> { TypedValue = limit },
                new NpgsqlParameter<int> { TypedValue = maxBytes },
            },
        };

        // A page is short, and to end it half-way would take a connection of its own: the token counts before it and after.
        await using var reader = await command.ExecuteReaderAsync(CancellationToken.None);
        while (await reader.ReadAsync(CancellationToken.None))
        {
            cancellationToken.ThrowIfCancellationRequested();
            take(Current(reader, session));
        }
    }

    public async ValueTask<long> FindHeadAsync(Guid session, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(database.ReaderConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(HeadQuery, connection)
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = session, NpgsqlDbType = NpgsqlDbType.Uuid } },
        };
        return (long)(await command.ExecuteScalarAsync(CancellationToken.None))!; // COALESCE: it is never null.
    }

    private static EventRow Current(NpgsqlDataReader reader, Guid session)
    {
        var seq = reader.GetInt64(0);
        if (!EventTypes.TryParse(reader.GetString(2), out var type))
        {
            throw new StoreException($"Row {seq} of session {session} has an unknown type.");
        }

        return new EventRow(
            seq,
            reader.IsDBNull(1) ? null : reader.GetGuid(1),
            type,
            DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(3)),
            reader.GetFieldValue<byte[]>(4));
    }
}
