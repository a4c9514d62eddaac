using System.Globalization;

namespace Ash.Cli.Output;

/// <summary>Values as people read them.</summary>
internal static class Display
{
    /// <summary>In UTC.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>Nothing where there is none.</summary>
    public static string Time(DateTimeOffset? time) => time is { } known ? Time(known) : "";

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    public static string Size(long bytes) => bytes switch
    {
        < 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024):0.#} MB"),
    };
}
