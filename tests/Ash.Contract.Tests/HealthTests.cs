namespace Ash.Contract.Tests;

/// <summary>Contract 3.13: health, readiness, figures.</summary>
public sealed class HealthTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task Health_IsOpenToAll_WhateverTheQuery()
    {
        using var anyone = Server.Connect(null);

        Assert.Equal("ok", (await anyone.GetAsync("/health")).Is(200).GetProperty("status").GetString());
        Assert.Equal("ok", (await anyone.GetAsync("/health?x=1")).Is(200).GetProperty("status").GetString());
        Assert.True((await anyone.GetAsync("/health/ready")).Is(200).GetProperty("ready").GetBoolean());
    }

    [Fact(Timeout = Limit)]
    public async Task Metrics_AreOfPrometheusForm()
    {
        var metrics = await Api.GetAsync("/metrics");

        metrics.IsWithoutJson(200);
        Assert.Equal("text/plain", metrics.MediaType);
        Assert.Contains("# TYPE ash_up gauge", metrics.Text, StringComparison.Ordinal);
    }
}
