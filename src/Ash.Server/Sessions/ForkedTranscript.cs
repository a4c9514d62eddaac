using System.Buffers.Text;
using Ash.Runner.Workspaces;

namespace Ash.Server.Sessions;

/// <summary>
/// The CLI's transcript of a session, as its fork gets it: up to the running turn, and under the turns' ids in the fork, by which
/// a later process is told what it lacks. It is read as an attacker's input.
/// </summary>
/// <param name="turns">The ids of the turns that are forked, and what they are in the fork.</param>
/// <param name="running">The turn before which it ends; null where none runs.</param>
internal sealed class ForkedTranscript(IReadOnlyDictionary<Guid, Guid> turns, Guid? running)
{
    private const int UuidLength = 36;
    private const int BufferBytes = 256 * 1024;

    private readonly byte[]? _end = running is { } turn ? Transcript.MarkOf(turn) : null;

    public RewrittenFile Of(Guid cliSessionId) => new(Transcript.PathOf(cliSessionId), Rewrite);

    /// <remarks>One larger than any that the CLI writes is left empty: the fork is then told its conversation from the log.</remarks>
    public void Rewrite(Stream from, Stream to)
    {
        if (from.Length > Transcript.MaxBytes)
        {
            return;
        }

        using var reader = new BufferedStream(from, BufferBytes);
        using var writer = new BufferedStream(to, BufferBytes);
        using var line = new MemoryStream();
        int next;
        while ((next = reader.ReadByte()) >= 0)
        {
            line.WriteByte((byte)next);
            if (next != '\n')
            {
                continue;
            }

            if (!TryWrite(line, writer))
            {
                return;
            }

            line.SetLength(0);
        }

        // Without its end the last line was not written down to its end either.
    }

    /// <returns>False for the line with which the running turn begins.</returns>
    private bool TryWrite(MemoryStream line, Stream to)
    {
        var bytes = line.GetBuffer().AsSpan(0, (int)line.Length);
        if (_end is not null && bytes.IndexOf(_end) >= 0)
        {
            return false;
        }

        for (var rest = bytes; rest.IndexOf((byte)'"') is >= 0 and var quote;)
        {
            rest = rest[(quote + 1)..];
            if (rest.Length > UuidLength
                && rest[UuidLength] == '"'
                && Utf8Parser.TryParse(rest[..UuidLength], out Guid id, out var length)
                && length == UuidLength
                && turns.TryGetValue(id, out var forked))
            {
                Utf8Formatter.TryFormat(forked, rest, out _);
            }
        }

        to.Write(bytes);
        return true;
    }
}
