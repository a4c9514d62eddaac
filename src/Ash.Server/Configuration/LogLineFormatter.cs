using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Ash.Server.Configuration;

/// <summary>One event a line: when, how grave, where, what; a failure with its trace behind it.</summary>
internal sealed class LogLineFormatter(TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        textWriter.Write($" {WordOf(logEntry.LogLevel)} {logEntry.Category}: {OnOneLine(message)}");
        if (logEntry.Exception is { } failure)
        {
            textWriter.Write($" {OnOneLine(failure.ToString())}");
        }

        textWriter.Write('\n');
    }

    private static string OnOneLine(string text) => text.ReplaceLineEndings(" ");

    private static string WordOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
