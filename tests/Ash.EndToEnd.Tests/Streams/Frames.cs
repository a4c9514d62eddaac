using System.Text;
using System.Text.Json;

namespace Ash.EndToEnd.Tests.Streams;

/// <summary>One frame in the bytes of a stream.</summary>
/// <param name="Start">Where it begins.</param>
/// <param name="End">Behind its empty line.</param>
/// <param name="Name">Its event.</param>
/// <param name="Id">Its id.</param>
/// <param name="Data">Its data.</param>
internal sealed record Frame(int Start, int End, string Name, string Id, string Data)
{
    /// <summary>A later frame of the same row follows.</summary>
    public bool IsInsideRow => Id.Contains('.', StringComparison.Ordinal);

    public JsonElement Json => JsonElement.Parse(Data);
}

/// <summary>Takes the bytes of a stream apart as the contract frames them: <c>event</c>, one <c>data</c>, <c>id</c>, an empty line.</summary>
internal static class Frames
{
    /// <summary>All complete frames; anything that is not framed so, comments aside, is an error.</summary>
    public static List<Frame> Parse(byte[] bytes)
    {
        var frames = new List<Frame>();
        for (int start = 0, length; (length = bytes.AsSpan(start).IndexOf("\n\n"u8)) >= 0; start += length + 2)
        {
            if (bytes[start] == ':')
            {
                continue;
            }

            var lines = Encoding.UTF8.GetString(bytes, start, length).Split('\n');
            if (lines.Length != 3 || !IsField(lines[0], "event: ") || !IsField(lines[1], "data: ") || !IsField(lines[2], "id: "))
            {
                throw new FormatException($"This is no frame: {string.Join('\n', lines)}");
            }

            frames.Add(new Frame(start, start + length + 2, lines[0][7..], lines[2][4..], lines[1][6..]));
        }

        return frames;
    }

    /// <summary>What a client keeps of a stream that was cut: all complete frames, without comments.</summary>
    public static byte[] Kept(byte[] bytes)
    {
        using var kept = new MemoryStream(bytes.Length);
        foreach (var frame in Parse(bytes))
        {
            kept.Write(bytes, frame.Start, frame.End - frame.Start);
        }

        return kept.ToArray();
    }

    /// <summary>The cursor of a client that has these bytes; null where it has no complete frame.</summary>
    public static string? LastId(byte[] bytes) => Parse(bytes) is [.., var last] ? last.Id : null;

    public static IEnumerable<string> Names(byte[] bytes) => Parse(bytes).Select(frame => frame.Name);

    /// <summary>Says where two streams part, for people.</summary>
    public static string Difference(byte[] expected, byte[] actual)
    {
        var at = expected.AsSpan().CommonPrefixLength(actual);
        return $"{actual.Length} bytes instead of {expected.Length}; they part at {at}: expected …{Around(expected, at)}… and got …{Around(actual, at)}…";
    }

    private static bool IsField(string line, string prefix) => line.StartsWith(prefix, StringComparison.Ordinal);

    private static string Around(byte[] bytes, int at)
    {
        var start = Math.Clamp(at - 100, 0, bytes.Length);
        return Encoding.UTF8.GetString(bytes, start, Math.Min(300, bytes.Length - start));
    }
}
