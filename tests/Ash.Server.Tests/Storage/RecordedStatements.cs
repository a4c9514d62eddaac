using Ash.Server.Storage;

namespace Ash.Server.Tests.Storage;

/// <summary>The prepared statements of the product, as the writer asks its connection for them.</summary>
internal sealed class RecordedStatements(StoreConnection inner) : StoreConnection
{
    private readonly List<string> _prepared = [];

    public static async Task<IReadOnlyList<string>> OfAsync(StoreConnection inner, AshDbContext context)
    {
        await using var recorded = new RecordedStatements(inner);
        using var transaction = new StoreTransaction(recorded, context);
        return recorded._prepared;
    }

    public override StoreStatement Prepare(string sql)
    {
        _prepared.Add(sql);
        return inner.Prepare(sql);
    }

    public override void Settle() => throw new NotSupportedException();

    public override void Touch() => throw new NotSupportedException();

    public override void Begin(Durability durability) => throw new NotSupportedException();

    public override bool TryRunAlone(StoreWrite write) => throw new NotSupportedException();

    public override void Run(StoreWrite write) => throw new NotSupportedException();

    public override void Commit() => throw new NotSupportedException();

    public override void RollBack() => throw new NotSupportedException();

    public override ValueTask DisposeAsync() => inner.DisposeAsync();
}
