using Microsoft.Extensions.Logging.Console;

namespace Ash.Server.Configuration;

/// <summary>One line an event on the console. What users and agents say never appears above Trace.</summary>
internal static class ServerLogging
{
    public static void AddServerLogging(this ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddConsole(options => options.FormatterName = LogLineFormatter.FormatterName);
        logging.AddConsoleFormatter<LogLineFormatter, ConsoleFormatterOptions>();
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // It writes nothing of use, and as long as it may, the host makes a span of each request, after whatever trace a sandbox names.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        logging.AddFilter("Orleans", LogLevel.Error);
        logging.AddFilter("Polly", LogLevel.Warning);
    }
}
