using System.Text;
using Ash.Server.Agents;
using Ash.Server.Sessions;

namespace Ash.Server.Tests.Agents;

public sealed class AgentSettingsTests
{
    [Fact]
    public void EveryFieldThatIsEnforced_IsRead()
    {
        var settings = Parse("""
            {
              // Comments are allowed.
              "systemPrompt": "append",
              "readOnlyContent": false,
              "permissionMode": "permissionsByAgent",
              "onBusy": "reject",
              "resources": { "memoryMb": 512, "cpus": 0.5, "pids": 128 },
            }
            """);

        Assert.Equal(
            new AgentSettings
            {
                AppendsSystemPrompt = true,
                ReadOnlyContent = false,
                PermissionMode = "permissionsByAgent",
                OnBusy = BusyPolicy.Reject,
                Resources = new AgentResources(512, 0.5, 128),
            },
            settings);
    }

    [Fact]
    public void AnEmptyObject_IsTheDefaults() => Assert.Equal(new AgentSettings(), Parse("{}"));

    [Theory]
    [InlineData("""{"unknown":1}""", "ash.json: unknown is not a known field")]
    [InlineData("""{"SystemPrompt":"append"}""", "ash.json: SystemPrompt is not a known field")]
    [InlineData("""{"resources":{"gpus":1}}""", "ash.json: resources.gpus is not a known field")]
    [InlineData("""{"systemPrompt":"both"}""", "ash.json: systemPrompt must be one of replace, append")]
    [InlineData("""{"systemPrompt":1}""", "ash.json: systemPrompt must be one of replace, append")]
    [InlineData("""{"readOnlyContent":"no"}""", "ash.json: readOnlyContent must be true or false")]
    [InlineData("""{"permissionMode":"root"}""", "ash.json: permissionMode must be one of bypassPermissions, permissionsByAgent, default")]
    [InlineData("""{"resources":[]}""", "ash.json: resources must be an object")]
    [InlineData("""{"resources":{"memoryMb":1}}""", "ash.json: resources.memoryMb must be a whole number from 256 to 1048576")]
    [InlineData("""{"resources":{"memoryMb":512.5}}""", "ash.json: resources.memoryMb must be a whole number from 256 to 1048576")]
    [InlineData("""{"resources":{"memoryMb":"512"}}""", "ash.json: resources.memoryMb must be a whole number from 256 to 1048576")]
    [InlineData("""{"resources":{"pids":1e99}}""", "ash.json: resources.pids must be a whole number from 64 to 32768")]
    [InlineData("""{"resources":{"cpus":0}}""", "ash.json: resources.cpus must be a number from 0.1 to 256")]
    [InlineData("[]", "ash.json: the file must be an object")]
    [InlineData("{\n\"systemPrompt\": append\n}", "ash.json:2: not valid JSON")]
    [InlineData("", "ash.json:1: not valid JSON")]
    [InlineData("""{"systemPrompt":"\ud800"}""", "ash.json: a name or a value is not valid Unicode")]
    [InlineData("""{"\ud800":1}""", "ash.json: a name or a value is not valid Unicode")]
    public void AFieldThatCannotBeUsed_IsRefused_WithItsPath(string json, string message) =>
        Assert.Equal(message, Assert.Throws<AgentSettingsException>(() => Parse(json)).Message);

    [Theory]
    [InlineData("""{"network":{"allow":["example.com"]}}""", "network")]
    [InlineData("""{"model":{"allow":["claude-*"]}}""", "model")]
    [InlineData("""{"setup":["npm ci"]}""", "setup")]
    [InlineData("""{"resources":{"diskMb":1}}""", "resources.diskMb")]
    public void AFieldThatThisReleaseDoesNotEnforce_IsRefused_RatherThanIgnored(string json, string path) =>
        Assert.Equal(
            $"ash.json: {path} is not enforced by this release; remove it",
            Assert.Throws<AgentSettingsException>(() => Parse(json)).Message);

    private static AgentSettings Parse(string json) => AgentSettings.Parse(Encoding.UTF8.GetBytes(json));
}
