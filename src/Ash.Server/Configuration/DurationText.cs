using System.Globalization;

namespace Ash.Server.Configuration;

/// <summary>Durations as people write them in settings.</summary>
internal static class DurationText
{
    private static readonly (string Unit, double Milliseconds)[] Units =
    [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), (string.Empty, 1_000),
    ];

    /// <summary>Reads a number and its unit; a bare number is seconds. Signs, exponents and spaces are not taken.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        foreach (var (unit, milliseconds) in Units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                && number * milliseconds < TimeSpan.MaxValue.TotalMilliseconds / 2)
            {
                duration = TimeSpan.FromMilliseconds(number * milliseconds);
                return true;
            }
        }

        return false;
    }

    /// <summary>The shortest text that gives this duration again, in the largest unit that divides it.</summary>
    public static string Format(TimeSpan duration)
    {
        foreach (var (unit, milliseconds) in Units[..^1].Reverse())
        {
            if (duration.Ticks % (long)(milliseconds * TimeSpan.TicksPerMillisecond) == 0 && duration > TimeSpan.Zero)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / (long)(milliseconds * TimeSpan.TicksPerMillisecond)}{unit}");
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds}ms");
    }
}
