using System.Buffers.Text;
using System.Text;
using Ash.Runner.Workspaces;

namespace Ash.Server.Sessions;

/// <summary>What the CLI has written down of a conversation. It lies where the agent can write: read as an attacker's input.</summary>
/// <param name="Exists">There is a file. Without messages in it the CLI can neither resume it nor begin another of its name.</param>
/// <param name="HasMessages">Something was said in it.</param>
/// <param name="Known">Those of the wanted uuids that it holds.</param>
internal sealed record Transcript(bool Exists, bool HasMessages, IReadOnlySet<Guid> Known)
{
    private const int UuidLength = 36;
    private const int BufferBytes = 256 * 1024;

    /// <summary>Far above what any model has room for. A file beyond it was not written by the CLI, and is not read.</summary>
    public const long MaxBytes = 256L * 1024 * 1024;

    /// <summary>Ends <c>source_uuid</c> as well, the id of what was said to a running turn and lies in an attachment.</summary>
    private static ReadOnlySpan<byte> Marker => "uuid\":\""u8;

    /// <summary>Where it lies, from the home on.</summary>
    public static string PathOf(Guid cliSessionId) => $".claude/projects/-workspace/{cliSessionId}.jsonl";

    /// <summary>What the line of a message with this uuid holds.</summary>
    public static byte[] MarkOf(Guid uuid) => Encoding.ASCII.GetBytes($"\"uuid\":\"{uuid}\"");

    /// <summary>Looks for uuids in the transcript of a conversation.</summary>
    /// <param name="home">The session's home on the host.</param>
    /// <param name="cliSessionId">The CLI's name of the conversation.</param>
    /// <param name="wanted">The uuids to look for.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<Transcript> ReadAsync(
        string home, Guid cliSessionId, IReadOnlySet<Guid> wanted, CancellationToken cancellationToken)
    {
        var known = new HashSet<Guid>();
        var hasMessages = false;
        await using var file = ConfinedFiles.OpenRead(home, PathOf(cliSessionId));
        if (file is null)
        {
            return new Transcript(Exists: false, HasMessages: false, known);
        }

        var buffer = new byte[BufferBytes];
        var kept = 0;
        var total = 0L;
        int read;
        while ((read = await file.ReadAsync(buffer.AsMemory(kept), cancellationToken)) > 0)
        {
            total += read;
            if (Math.Max(total, file.Length) > MaxBytes)
            {
                return new Transcript(Exists: true, HasMessages: false, new HashSet<Guid>());
            }

            var filled = kept + read;
            hasMessages |= Collect(buffer.AsSpan(0, filled), wanted, known);

            // A uuid that is cut by the end of the buffer is whole in the next one.
            kept = Math.Min(filled, Marker.Length + UuidLength - 1);
            buffer.AsSpan(filled - kept, kept).CopyTo(buffer);
        }

        return new Transcript(Exists: true, hasMessages, known);
    }

    private static bool Collect(ReadOnlySpan<byte> bytes, IReadOnlySet<Guid> wanted, HashSet<Guid> known)
    {
        var any = false;
        for (int at; (at = bytes.IndexOf(Marker)) >= 0;)
        {
            bytes = bytes[(at + Marker.Length)..];
            if (bytes.Length >= UuidLength
                && Utf8Parser.TryParse(bytes[..UuidLength], out Guid id, out var length)
                && length == UuidLength)
            {
                any = true;
                if (wanted.Contains(id))
                {
                    known.Add(id);
                }
            }
        }

        return any;
    }
}
