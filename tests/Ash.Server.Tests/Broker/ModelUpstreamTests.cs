using Ash.Server.Broker;
using Microsoft.Extensions.Configuration;

namespace Ash.Server.Tests.Broker;

public sealed class ModelUpstreamTests
{
    [Theory]
    [InlineData(null, null, false)]
    [InlineData("https://API.anthropic.com/", null, false)]
    [InlineData(null, "sk-1", true)]
    [InlineData("http://127.0.0.1:9", null, true)]
    public void Upstream_IsConfigured_UnlessTheRealApiWouldGetNoKey(string? address, string? key, bool expected)
    {
        var upstream = new ModelUpstream();

        upstream.Read(new ConfigurationBuilder()
            .AddInMemoryCollection([new("ASH_MODEL_BASE_URL", address), new("ANTHROPIC_API_KEY", key)])
            .Build());

        Assert.Equal(expected, upstream.IsConfigured);
        Assert.True(new ModelUpstreamValidator().Validate(null, upstream).Succeeded);
    }

    [Theory]
    [InlineData("ftp://x", "sk-secret")]
    [InlineData("not an address", "sk-secret")]
    [InlineData("https://user:sk-secret@host", "sk-secret")]
    [InlineData("https://host", "sk-secret\n")]
    [InlineData("https://host", "sk-secret é")]
    public void BadConfiguration_IsRefused_WithoutNamingTheKey(string address, string key)
    {
        var result = new ModelUpstreamValidator().Validate(null, new ModelUpstream { BaseUrl = address, ApiKey = key });

        Assert.True(result.Failed);
        Assert.DoesNotContain("secret", result.FailureMessage, StringComparison.Ordinal);
    }
}
