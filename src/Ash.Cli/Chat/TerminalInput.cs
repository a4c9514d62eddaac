using System.Runtime.InteropServices;
using System.Text;

namespace Ash.Cli.Chat;

/// <summary>Messages that a person types. The terminal's own line editing is used, so that Ctrl-C drops what stands there.</summary>
internal static unsafe partial class TerminalInput
{
    private const int StandardInput = 0;
    private const int Interrupted = 4;
    private const short Readable = 1;

    // As much as a terminal gives in one line.
    private const int LineBytes = 4096;

    // Lines that are pasted together arrive together.
    private const int PasteMilliseconds = 20;

    /// <summary>
    /// Waits for a line, and takes those that were pasted with it. A line that ends with a backslash is followed by another.
    /// </summary>
    /// <returns>Null at Ctrl-D.</returns>
    public static string? ReadMessage()
    {
        var message = new StringBuilder();

        while (true)
        {
            if (ReadLine() is not { } line)
            {
                return message.Length > 0 ? message.ToString() : null;
            }

            var isContinued = line.EndsWith('\\');
            message.Append(isContinued ? line[..^1] : line);

            if (!isContinued && !IsMoreThere())
            {
                return message.ToString();
            }

            message.Append('\n');
        }
    }

    private static string? ReadLine()
    {
        var line = new List<byte>();
        var piece = stackalloc byte[LineBytes];

        while (true)
        {
            var count = Read(StandardInput, piece, LineBytes);

            if (count < 0)
            {
                if (Marshal.GetLastPInvokeError() == Interrupted)
                {
                    continue;
                }

                // The terminal is gone.
                return null;
            }

            line.AddRange(new ReadOnlySpan<byte>(piece, (int)count));

            if (count == 0 && line.Count == 0)
            {
                return null;
            }

            if (count == 0 || line[^1] == '\n')
            {
                return Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(line)).TrimEnd('\n');
            }
        }
    }

    private static bool IsMoreThere()
    {
        var asked = new PollRequest { File = StandardInput, Events = Readable };
        return Poll(&asked, 1, PasteMilliseconds) > 0 && (asked.Found & Readable) != 0;
    }

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int file, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollRequest* requests, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest
    {
        public int File;
        public short Events;
        public short Found;
    }
}
