using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Http;

/// <summary>Which part of a list is shown.</summary>
/// <param name="Offset">So many of the first are left out.</param>
/// <param name="Limit">At most so many.</param>
/// <param name="WantsTotal">Whether the answer says how many there are without offset and limit.</param>
internal readonly record struct ListPage(int Offset, int Limit, bool WantsTotal)
{
    private const int MaxLimit = 1000;

    /// <remarks>Without a limit it is all of them: clients of the reference product know no pages.</remarks>
    public static Problem? Read(IQueryCollection query, out ListPage page)
    {
        var (most, first) = ((long)int.MaxValue, 0L);
        string? includeTotal = query["includeTotal"];
        var problem = QueryNumber.Read(query["limit"], "limit", 1, MaxLimit, ref most)
            ?? QueryNumber.Read(query["offset"], "offset", 0, null, ref first)
            ?? (includeTotal is null or "true" or "false" ? null : Problems.Invalid("includeTotal must be true or false"));
        page = new ListPage((int)Math.Min(first, int.MaxValue), (int)most, includeTotal == "true");
        return problem;
    }

    public async Task<Listed<T>> ReadAsync<T>(IQueryable<T> all, CancellationToken cancellationToken) => new(
        await all.Skip(Offset).Take(Limit).ToListAsync(cancellationToken),
        WantsTotal ? await all.CountAsync(cancellationToken) : null);

    public Listed<T> Of<T>(IReadOnlyList<T> all) => new([.. all.Skip(Offset).Take(Limit)], WantsTotal ? all.Count : null);
}

/// <summary>A part of a list.</summary>
/// <param name="Items">What is shown.</param>
/// <param name="Total">How many there are; null where nobody asked.</param>
internal sealed record Listed<T>(IReadOnlyList<T> Items, int? Total)
{
    public Listed<TOther> Select<TOther>(Func<T, TOther> describe) => new([.. Items.Select(describe)], Total);
}
