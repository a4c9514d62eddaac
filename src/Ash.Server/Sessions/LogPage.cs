using Ash.Server.Http;

namespace Ash.Server.Sessions;

/// <summary>Which part of a log a list shows.</summary>
/// <param name="After">Entries with a greater sequence.</param>
/// <param name="Limit">At most so many.</param>
internal readonly record struct LogPage(long After, long Limit)
{
    private const int MaxLimit = 1000;

    public static Problem? Check(string? limit, string? after, int fallback, out LogPage page)
    {
        var (most, seq) = ((long)fallback, 0L);
        var problem = QueryNumber.Read(limit, "limit", 1, MaxLimit, ref most) ?? QueryNumber.Read(after, "after", 0, null, ref seq);
        page = new LogPage(seq, most);
        return problem;
    }
}
