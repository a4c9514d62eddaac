using System.Globalization;
using Ash.Server.Http;

namespace Ash.Server.Sessions;

/// <summary>Which part of all sessions a list shows.</summary>
/// <param name="Offset">So many of the newest are left out.</param>
/// <param name="Limit">At most so many; null for all of them.</param>
internal readonly record struct SessionPage(int Offset, int? Limit)
{
    private const int MaxLimit = 1000;

    public static Problem? Check(string? limit, string? offset, out SessionPage page)
    {
        page = default;
        if (limit is not null)
        {
            if (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > MaxLimit)
            {
                return Problems.Invalid($"querystring/limit must be an integer from 1 to {MaxLimit}");
            }

            page = page with { Limit = count };
        }

        if (offset is not null)
        {
            if (!int.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var first))
            {
                return Problems.Invalid("querystring/offset must be an integer >= 0");
            }

            page = page with { Offset = first };
        }

        return null;
    }
}
