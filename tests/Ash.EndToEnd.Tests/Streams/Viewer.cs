using Ash.Testing;

namespace Ash.EndToEnd.Tests.Streams;

/// <summary>A client whose connection is cut after so many bytes, again and again, and that comes back with the last id that it has.</summary>
/// <param name="server">The server.</param>
/// <param name="path">Session's stream with its filters, without a cursor.</param>
/// <param name="after">Where it begins.</param>
internal sealed class Viewer(AshServer server, string path, string after)
{
    private readonly MemoryStream _kept = new();

    public string Path { get; } = path;

    /// <summary>How often its connection was cut before the end of the stream.</summary>
    public int Cuts { get; private set; }

    /// <summary>All that it has: complete frames, each once.</summary>
    public byte[] Kept => _kept.ToArray();

    /// <summary>What it did, for people.</summary>
    public string Story { get; private set; } = path;

    /// <summary>Reads so many bytes and closes its socket, wherever that is.</summary>
    public async Task<ViewerEnd> ReadAsync(long bytes = long.MaxValue)
    {
        var cursor = Frames.LastId(Kept);
        using var stream = await RawStream.OpenAsync(server, $"{Path}&after={after}", lastEventId: cursor);
        return await ReadAsync(stream, bytes, cursor);
    }

    /// <summary>The same of a connection that is open already.</summary>
    public async Task<ViewerEnd> ReadAsync(RawStream stream, long bytes, string? cursor = null)
    {
        Assert.Equal(200, stream.Status);
        var read = await stream.ReadAsync(bytes);
        _kept.Write(Frames.Kept(read));
        var end = stream.IsWhole ? ViewerEnd.Whole : read.Length == bytes ? ViewerEnd.Cut : ViewerEnd.Broken;
        Cuts += end == ViewerEnd.Whole ? 0 : 1;
        Story += $" | from {cursor ?? after}: {read.Length} bytes, {end}";
        return end;
    }
}

internal enum ViewerEnd
{
    /// <summary>The stream came to its own end.</summary>
    Whole,

    /// <summary>The client has closed its socket.</summary>
    Cut,

    /// <summary>The server went away.</summary>
    Broken,
}
