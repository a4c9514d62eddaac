using System.Runtime.CompilerServices;
using System.Text;
using Ash.Protocol.Api;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>The log of a session's sandbox: what its processes wrote to their standard error, and what became of them.</summary>
/// <remarks>
/// It outlives the sandbox and goes with the session. A program may write without end, so only the newest lines are kept, and of
/// a long one its beginning; what it writes counts against the limit of a turn's output as well.
/// </remarks>
internal sealed class SandboxLog(IDbContextFactory<AshDbContext> contexts)
{
    /// <summary>As in the reference product.</summary>
    public const int MaxLines = 10_000;

    public const int MaxLineLength = 2000;

    private const int LinesAtOnce = 500;

    /// <summary>Adds lines in the order of their coming, in the transaction that makes them known.</summary>
    public static void Append(StoreTransaction transaction, Guid sessionId, IReadOnlyList<SandboxLogLine> lines, DateTimeOffset at)
    {
        if (lines.Count == 0)
        {
            return;
        }

        foreach (var line in lines)
        {
            transaction.AppendLogLine(sessionId, line.Source, line.Text, at);
        }

        transaction.RemoveLogLines(sessionId, MaxLines);
    }

    /// <summary>A line of a process, as text of bounded length.</summary>
    public static SandboxLogLine FromError(ReadOnlySpan<byte> line)
    {
        // A longer line of bytes has no more characters than are kept.
        var text = Encoding.UTF8.GetString(line[..Math.Min(line.Length, 4 * MaxLineLength)]);

        // Postgres keeps no NUL in a text, and nobody wants to see one.
        return new SandboxLogLine(LogSource.Stderr, Cut(text.TrimEnd('\r', '\n')).Replace('\0', '\uFFFD'));
    }

    public static SandboxLogLine FromServer(string text) => new(LogSource.System, text);

    /// <summary>The lines after an index, as far as there are any now, in pages: a slow reader holds nothing of the store.</summary>
    public async IAsyncEnumerable<SessionLogEntry> ReadAsync(
        Guid sessionId, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int count;
        do
        {
            List<LogLineRecord> page;
            await using (var db = await contexts.CreateDbContextAsync(cancellationToken))
            {
                page = await db.LogLines
                    .Where(line => line.SessionId == sessionId && line.Number > after)
                    .OrderBy(line => line.Number)
                    .Take(LinesAtOnce)
                    .ToListAsync(cancellationToken);
            }

            foreach (var line in page)
            {
                yield return new SessionLogEntry(line.Number, line.Source == LogSource.Stderr ? "stderr" : "system", line.Text, line.At);
                after = line.Number;
            }

            count = page.Count;
        }
        while (count == LinesAtOnce);
    }

    private static string Cut(string text)
    {
        if (text.Length <= MaxLineLength)
        {
            return text;
        }

        var length = char.IsHighSurrogate(text[MaxLineLength - 1]) ? MaxLineLength - 1 : MaxLineLength;
        return string.Concat(text.AsSpan(0, length), " … (cut)");
    }
}

/// <param name="Source">Who says it.</param>
/// <param name="Text">Without a line end.</param>
internal readonly record struct SandboxLogLine(LogSource Source, string Text);
