using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Ash.Server.Broker;

/// <summary>A connection from a sandbox. It counts against the sandbox until the server has let go of it.</summary>
/// <remarks>
/// <see cref="ConnectionClosed"/> would be the wrong moment: it also comes when the sandbox closes its half only.
/// </remarks>
internal sealed class BrokerConnection : ConnectionContext
{
    private readonly ConnectionContext _connection;
    private readonly BrokerSocket _socket;

    public BrokerConnection(ConnectionContext connection, BrokerSocket socket)
    {
        _connection = connection;
        _socket = socket;
        connection.Features.Set(socket);
    }

    public override string ConnectionId
    {
        get => _connection.ConnectionId;
        set => _connection.ConnectionId = value;
    }

    public override IFeatureCollection Features => _connection.Features;

    public override IDictionary<object, object?> Items
    {
        get => _connection.Items;
        set => _connection.Items = value;
    }

    public override IDuplexPipe Transport
    {
        get => _connection.Transport;
        set => _connection.Transport = value;
    }

    public override CancellationToken ConnectionClosed
    {
        get => _connection.ConnectionClosed;
        set => _connection.ConnectionClosed = value;
    }

    public override void Abort(ConnectionAbortedException abortReason) => _connection.Abort(abortReason);

    public override async ValueTask DisposeAsync()
    {
        try
        {
            await _connection.DisposeAsync();
        }
        finally
        {
            _socket.Remove(this);
            await base.DisposeAsync();
        }
    }
}
