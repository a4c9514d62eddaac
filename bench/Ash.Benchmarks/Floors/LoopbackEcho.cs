using System.Net;
using System.Net.Sockets;

namespace Ash.Benchmarks.Floors;

/// <summary>There and back over the loopback address, between two threads.</summary>
internal sealed class LoopbackEcho : IDisposable
{
    private readonly byte[] _message = new byte[300];
    private readonly Socket _client = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Socket _server;

    public LoopbackEcho()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _client.Connect(listener.LocalEndpoint);
        _server = listener.AcceptSocket();
        _server.NoDelay = true;
        new Thread(Answer) { IsBackground = true }.Start();
    }

    public void Run()
    {
        _client.Send(_message);
        for (var left = _message.Length; left > 0;)
        {
            left -= _client.Receive(_message);
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    private void Answer()
    {
        var buffer = new byte[_message.Length];
        try
        {
            for (int read; (read = _server.Receive(buffer)) > 0;)
            {
                _server.Send(buffer.AsSpan(0, read));
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }
}
