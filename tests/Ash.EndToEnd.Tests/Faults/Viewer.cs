using System.Text;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>Somebody who watches a turn, byte by byte, however often the connection breaks.</summary>
internal sealed class Viewer(AshServer server, Guid session, Guid turn)
{
    private readonly MemoryStream _whole = new();
    private string? _lastId;

    /// <summary>All frames so far, byte for byte, without comments.</summary>
    public string Text => Encoding.UTF8.GetString(_whole.ToArray());

    /// <summary>The ids of all frames, in their order.</summary>
    public IReadOnlyList<string> Ids =>
        [.. Text.Split('\n').Where(line => line.StartsWith("id: ", StringComparison.Ordinal)).Select(line => line[4..])];

    /// <summary>Watches until the turn is over or the connection breaks; what was cut off is not kept.</summary>
    /// <returns>Whether the turn is over.</returns>
    public async Task<bool> WatchAsync(Action? onFrame = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/sessions/{session}/stream?turn={turn}&lifecycle=false");
        if (_lastId is not null)
        {
            request.Headers.Add("Last-Event-ID", _lastId);
        }

        try
        {
            using var answer = await server.Http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            answer.EnsureSuccessStatusCode();
            await using var body = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            return await ReadAsync(body, onFrame);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return false;
        }
    }

    private async Task<bool> ReadAsync(Stream body, Action? onFrame)
    {
        var pending = new List<byte>();
        var buffer = new byte[4096];
        int read;
        while ((read = await body.ReadAsync(buffer, TestContext.Current.CancellationToken)) > 0)
        {
            pending.AddRange(buffer.AsSpan(0, read));
            for (int end; (end = EndOfFrame(pending)) > 0;)
            {
                var frame = pending.GetRange(0, end).ToArray();
                pending.RemoveRange(0, end);
                if (frame[0] != (byte)':')
                {
                    Keep(frame);
                    onFrame?.Invoke();
                }
            }
        }

        return Text.Contains("event: done\n", StringComparison.Ordinal);
    }

    private void Keep(byte[] frame)
    {
        _whole.Write(frame);
        _lastId = Encoding.UTF8.GetString(frame).Split('\n').Last(line => line.StartsWith("id: ", StringComparison.Ordinal))[4..];
    }

    private static int EndOfFrame(List<byte> bytes)
    {
        for (var i = 1; i < bytes.Count; i++)
        {
            if (bytes[i] == (byte)'\n' && bytes[i - 1] == (byte)'\n')
            {
                return i + 1;
            }
        }

        return 0;
    }
}
