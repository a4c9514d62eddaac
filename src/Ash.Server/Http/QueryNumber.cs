using System.Globalization;

namespace Ash.Server.Http;

/// <summary>An integer in a query string.</summary>
internal static class QueryNumber
{
    /// <param name="text">As it stands there; null where it is absent.</param>
    /// <param name="name">Its name, for the reason.</param>
    /// <param name="min">The least that it may be; not negative.</param>
    /// <param name="max">The most that it may be; null where there is no bound.</param>
    /// <param name="number">Left as it is where the text is absent or refused.</param>
    /// <returns>Why it is refused; null where it is not.</returns>
    public static Problem? Read(string? text, string name, int min, int? max, ref long number)
    {
        if (text is null)
        {
            return null;
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var read) || read < min || read > (max ?? long.MaxValue))
        {
            return Problems.Invalid($"querystring/{name} must be an integer {(max is null ? $">= {min}" : $"from {min} to {max}")}");
        }

        number = read;
        return null;
    }
}
