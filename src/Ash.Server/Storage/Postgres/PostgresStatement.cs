using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Ash.Server.Storage.Postgres;

/// <summary>A statement that waits for its connection to send it together with others.</summary>
internal sealed class PostgresStatement(PostgresStoreConnection connection, string sql) : StoreStatement
{
    private readonly string _sql = sql.Replace('?', '$');
    private readonly List<NpgsqlParameter?> _bound = [];

    public override PostgresStatement Bind(int index, long? value) => Bind(index, value, NpgsqlDbType.Bigint);

    public override PostgresStatement Bind(int index, bool value) => Bind(index, value, NpgsqlDbType.Boolean);

    public override PostgresStatement Bind(int index, string? value) =>
        Bind(index, value is null ? null : StorableText.Of(value), NpgsqlDbType.Text);

    public override PostgresStatement Bind(int index, Guid? value) => Bind(index, value, NpgsqlDbType.Uuid);

    public override PostgresStatement Bind(int index, ReadOnlyMemory<byte>? value) => Bind(index, value, NpgsqlDbType.Bytea);

    public override PostgresStatement BindText(int index, ReadOnlySpan<byte> value) => Bind(index, Encoding.UTF8.GetString(value));

    public override void Execute() => connection.Send(Take());

    public override int ExecuteAndCount()
    {
        var command = Take();
        connection.Send(command);
        connection.Settle();
        return command.RecordsAffected;
    }

    /// <summary>The server forgets it with the connection.</summary>
    public override void Dispose()
    {
    }

    private PostgresStatement Bind<T>(int index, T? value, NpgsqlDbType type)
    {
        while (_bound.Count < index)
        {
            _bound.Add(null);
        }

        _bound[index - 1] = value is null
            ? new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = type }
            : new NpgsqlParameter { Value = value, NpgsqlDbType = type };
        return this;
    }

    private NpgsqlBatchCommand Take()
    {
        var command = new NpgsqlBatchCommand(_sql);
        foreach (var parameter in _bound)
        {
            command.Parameters.Add(parameter ?? throw new InvalidOperationException("A parameter was not bound: " + _sql));
        }

        _bound.Clear();
        return command;
    }
}
