namespace Ash.Bridge.Tests;

public sealed class RunOptionsTests
{
    [Fact]
    public void Options_HaveTheSandboxesPaths_UnlessTold()
    {
        var options = RunOptions.Parse([]);

        Assert.NotNull(options);
        Assert.Equal(("/run/ash/host.sock", "/run/ash/broker.sock", 4180), (options.HostSocket, options.BrokerSocket, options.RelayPort));
        Assert.Equal(TimeSpan.FromMinutes(10), options.OrphanTimeout);
    }

    [Fact]
    public void Options_AreTaken()
    {
        var options = RunOptions.Parse(["--orphan-timeout", "1.5", "--host-socket", "/a", "--broker-socket", "/b", "--relay-port", "99"]);

        Assert.Equal(new RunOptions { OrphanTimeout = TimeSpan.FromSeconds(1.5), HostSocket = "/a", BrokerSocket = "/b", RelayPort = 99 }, options);
    }

    [Theory]
    [InlineData("--orphan-timeout", "0")]
    [InlineData("--orphan-timeout", "-1")]
    [InlineData("--orphan-timeout", "NaN")]
    [InlineData("--host-socket", "relative")]
    [InlineData("--relay-port", "70000")]
    [InlineData("--unknown", "1")]
    [InlineData("--relay-port")]
    public void Nonsense_IsRefused(params string[] arguments) => Assert.Null(RunOptions.Parse(arguments));
}
