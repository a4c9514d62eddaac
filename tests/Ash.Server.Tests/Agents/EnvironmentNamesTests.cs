using Ash.Server.Agents;

namespace Ash.Server.Tests.Agents;

public sealed class EnvironmentNamesTests
{
    [Theory]
    [InlineData("A")]
    [InlineData("_a1")]
    [InlineData("LONG_NAME_2")]
    public void AnOrdinaryName_IsTaken(string name) => Assert.Null(EnvironmentNames.Refusal("env", One(name, "any value\n=")));

    [Theory]
    [InlineData("")]
    [InlineData("1A")]
    [InlineData("A-B")]
    [InlineData("A=B")]
    [InlineData("A\n")]
    [InlineData("Ä")]
    public void ANameThatNoShellCouldSet_IsRefused(string name) =>
        Assert.Equal($"env: \"{name}\" is not a name of an environment variable", EnvironmentNames.Refusal("env", One(name, "x")));

    [Fact]
    public void ANulCharacter_IsRefused() =>
        Assert.Equal("env.A must be a string without NUL characters", EnvironmentNames.Refusal("env", One("A", "x\0y")));

    [Fact]
    public void MoreBytesThanTheKernelTakes_AreRefused()
    {
        Assert.Null(EnvironmentNames.Refusal("env", One("A", new string('x', 99_999))));
        Assert.Equal("env must be at most 100000 bytes", EnvironmentNames.Refusal("env", One("A", new string('x', 100_000))));
        Assert.Equal("env must be at most 100000 bytes", EnvironmentNames.Refusal("env", One("A", new string('€', 50_000))));
    }

    private static Dictionary<string, string> One(string name, string value) => new() { [name] = value };
}
