using System.Text;
using Ash.Cli.Output;

namespace Ash.Cli.Servers;

/// <summary>Reads a log while somebody writes it, without what would change the terminal that it is shown on.</summary>
internal static class LogReader
{
    public static FileStream Open(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>The last lines, of those from the stream's position on.</summary>
    public static IReadOnlyList<string> ReadLast(Stream log, int count)
    {
        var last = new Queue<string>();
        using var reader = new StreamReader(log, Encoding.UTF8, leaveOpen: true);

        while (reader.ReadLine() is { } line)
        {
            last.Enqueue(TerminalText.Clean(line));

            if (last.Count > count)
            {
                last.Dequeue();
            }
        }

        return [.. last];
    }

    /// <summary>Prints what is added to a log, until cancelled. A log that was begun anew is read from its beginning.</summary>
    public static async Task FollowAsync(
        string path, long position, TextWriter output, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200), clock);
        var decoder = Encoding.UTF8.GetDecoder();
        var bytes = new byte[16 * 1024];
        var text = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];

        do
        {
            if (!File.Exists(path))
            {
                continue;
            }

            await using var log = Open(path);
            log.Position = position <= log.Length ? position : 0;

            while (await log.ReadAsync(bytes, cancellationToken) is > 0 and var count)
            {
                var added = new string(text, 0, decoder.GetChars(bytes.AsSpan(0, count), text, flush: false));
                await output.WriteAsync(TerminalText.Clean(added).AsMemory(), cancellationToken);
            }

            position = log.Position;
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }
}
