using System.Globalization;
using System.Text;
using Ash.Server.Telemetry;

namespace Ash.Server.Tests.Telemetry;

/// <summary>Costs: the agent's process says totals, and may say anything.</summary>
public sealed class CostTotalsTests
{
    [Fact]
    public void Totals_BecomeWhatEachTurnAdded()
    {
        var costs = new CostTotals(isNew: true);

        Assert.Equal([("a", 0.5)], Read(costs, ("a", 0.5)));
        Assert.Equal([("a", 0.25), ("b", 1)], Read(costs, ("a", 0.75), ("b", 1)));
        Assert.Empty(Read(costs, ("a", 0.75), ("b", 1)));
    }

    [Fact]
    public void FirstTotals_AreWhereToCountFrom_WhereEarlierOnesAreNotKnown()
    {
        var costs = new CostTotals(isNew: false);

        Assert.Empty(Read(costs, ("a", 5)));
        Assert.Equal([("a", 1)], Read(costs, ("a", 6)));
    }

    [Fact]
    public void TotalsThatFall_AreThoseOfAConversationBegunAnew()
    {
        var costs = new CostTotals(isNew: true);
        Read(costs, ("a", 5));

        Assert.Equal([("a", 0.5)], Read(costs, ("a", 0.5)));
    }

    [Theory]
    [InlineData("""{"modelUsage":{"a":{"costUSD":-1}}}""")]
    [InlineData("""{"modelUsage":{"a":{"costUSD":1e300}}}""")]
    [InlineData("""{"modelUsage":{"a":{"costUSD":1e999}}}""")]
    [InlineData("""{"modelUsage":{"a":{"costUSD":"1"}}}""")]
    [InlineData("""{"modelUsage":{"no name, but a text":{"costUSD":1}}}""")]
    [InlineData("""{"modelUsage":{"\ud800":{"costUSD":1}}}""")]
    [InlineData("""{"modelUsage":[1]}""")]
    [InlineData("""{"modelUsage":{"a":1}}""")]
    [InlineData("""{"modelUsage":{"a":{"costUSD":1}""")]
    [InlineData("""{}""")]
    public void WhatIsNoCost_IsNotCounted(string line)
    {
        var costs = new CostTotals(isNew: true);
        var counted = 0;

        costs.Read(Encoding.UTF8.GetBytes(line), (_, _) => counted++);

        Assert.Equal(0, counted);
    }

    private static List<(string Model, double Dollars)> Read(CostTotals costs, params (string Model, double Total)[] totals)
    {
        var added = new List<(string, double)>();
        var usage = string.Join(',', totals.Select(static total => string.Create(CultureInfo.InvariantCulture, $$"""
            "{{total.Model}}":{"inputTokens":1,"costUSD":{{total.Total}},"contextWindow":1}
            """)));
        var line = """{"type":"result","result":"x","modelUsage":{USAGE}}""".Replace("USAGE", usage, StringComparison.Ordinal);
        costs.Read(Encoding.UTF8.GetBytes(line), (model, dollars) => added.Add((model, dollars)));
        return added;
    }
}
