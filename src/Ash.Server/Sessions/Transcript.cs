using System.Buffers.Text;
using Ash.Runner.Workspaces;

namespace Ash.Server.Sessions;

/// <summary>What the CLI has written down of a conversation. It lies where the agent can write: read as an attacker's input.</summary>
internal static class Transcript
{
    private const int MaxBytes = 512 * 1024 * 1024;

    /// <summary>Whether there is one to resume.</summary>
    public static bool Exists(string home, Guid cliSessionId)
    {
        using var file = ConfinedFiles.OpenRead(home, PathOf(cliSessionId));
        return file is { Length: > 0 };
    }

    /// <summary>The uuids that it holds, of <paramref name="wanted"/>.</summary>
    public static async Task<HashSet<Guid>> FindAsync(
        string home, Guid cliSessionId, IReadOnlyCollection<Guid> wanted, CancellationToken cancellationToken)
    {
        var found = new HashSet<Guid>();
        await using var file = ConfinedFiles.OpenRead(home, PathOf(cliSessionId));
        if (file is null || wanted.Count == 0 || file.Length > MaxBytes)
        {
            return found;
        }

        var buffer = new byte[256 * 1024];
        var kept = 0;
        int read;
        while ((read = await file.ReadAsync(buffer.AsMemory(kept), cancellationToken)) > 0)
        {
            var filled = kept + read;
            Collect(buffer.AsSpan(0, filled), wanted, found);

            // A uuid that is cut by the end of the buffer is whole in the next one.
            kept = Math.Min(filled, Marker.Length + UuidLength);
            buffer.AsSpan(filled - kept, kept).CopyTo(buffer);
        }

        return found;
    }

    private const int UuidLength = 36;

    private static ReadOnlySpan<byte> Marker => "\"uuid\":\""u8;

    private static void Collect(ReadOnlySpan<byte> bytes, IReadOnlyCollection<Guid> wanted, HashSet<Guid> found)
    {
        for (int at; (at = bytes.IndexOf(Marker)) >= 0;)
        {
            bytes = bytes[(at + Marker.Length)..];
            if (bytes.Length >= UuidLength
                && Utf8Parser.TryParse(bytes[..UuidLength], out Guid id, out var length)
                && length == UuidLength
                && wanted.Contains(id))
            {
                found.Add(id);
            }
        }
    }

    private static string PathOf(Guid cliSessionId) => $".claude/projects/-workspace/{cliSessionId}.jsonl";
}
