using System.Globalization;
using Ash.Server.Http;

namespace Ash.Server.Sessions;

/// <summary>Which part of a log a list shows.</summary>
/// <param name="After">Entries with a greater sequence.</param>
/// <param name="Limit">At most so many.</param>
internal readonly record struct LogPage(long After, int Limit)
{
    private const int MaxLimit = 1000;

    public static Problem? Check(string? limit, string? after, int fallback, out LogPage page)
    {
        page = new LogPage(0, fallback);
        if (limit is not null)
        {
            if (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > MaxLimit)
            {
                return Problems.Invalid($"querystring/limit must be an integer from 1 to {MaxLimit}");
            }

            page = page with { Limit = count };
        }

        if (after is not null)
        {
            if (!long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var seq))
            {
                return Problems.Invalid("querystring/after must be an integer >= 0");
            }

            page = page with { After = seq };
        }

        return null;
    }
}
