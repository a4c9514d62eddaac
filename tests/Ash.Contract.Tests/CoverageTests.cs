namespace Ash.Contract.Tests;

/// <summary>After all others: whether they have left an operation out.</summary>
[Collection(typeof(AfterAllOthers))]
public sealed class CoverageTests(ContractServer server)
{
    [Fact]
    public void EveryOperation_WasCalledWithSuccess()
    {
        var left = typeof(ContractTests).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(ContractTests)) && !ContractTests.HaveBegun(type))
            .Select(type => type.Name)
            .ToList();
        Assert.SkipWhen(left.Count > 0, $"says something only where all tests run; these did not: {string.Join(", ", left)}");

        var missed = server.Description.Operations
            .Where(operation => !server.Coverage.HasSuccess(operation) && (server.IsOwn || !operation.IsInternal))
            .Select(operation => operation.ToString());

        Assert.Empty(missed);
    }
}

/// <summary>What may not run beside others comes after them.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class AfterAllOthers;
