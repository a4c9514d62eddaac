using Ash.Server.Http;

namespace Ash.Server.Sessions;

/// <summary>Which part of all sessions a list shows.</summary>
/// <param name="Offset">So many of the newest are left out.</param>
/// <param name="Limit">At most so many.</param>
internal readonly record struct SessionPage(int Offset, int Limit)
{
    private const int MaxLimit = 1000;

    /// <remarks>Without a limit it is all of them: clients of the reference product know no pages.</remarks>
    public static Problem? Check(string? limit, string? offset, out SessionPage page)
    {
        var (most, first) = ((long)int.MaxValue, 0L);
        var problem = QueryNumber.Read(limit, "limit", 1, MaxLimit, ref most) ?? QueryNumber.Read(offset, "offset", 0, null, ref first);
        page = new SessionPage((int)Math.Min(first, int.MaxValue), (int)most);
        return problem;
    }
}
