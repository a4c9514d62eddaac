using System.Text.Json;

namespace Ash.Contract.Tests;

/// <summary>Contract 3.2: prompt versions of an agent.</summary>
public sealed class VersionTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task Versions_AreNumbered_AndNamedByNumberOrId()
    {
        var versions = $"/api/agents/{await DeployAsync()}/versions";
        var first = (await Api.PostAsync(versions, """{"systemPrompt":"one","knowledgeFiles":["a.md"]}""")).Is(201).GetProperty("version");
        var second = (await Api.PostAsync(versions, """{"name":"better","releaseNotes":"why","cloneFrom":1}""")).Is(201).GetProperty("version");

        Assert.Equal((1, "v1", false), (first.GetProperty("versionNumber").GetInt32(), first.GetProperty("name").GetString(), first.GetProperty("isActive").GetBoolean()));
        Assert.Equal((2, "better", "one", "a.md"), (
            second.GetProperty("versionNumber").GetInt32(),
            second.GetProperty("name").GetString(),
            second.GetProperty("systemPrompt").GetString(),
            second.GetProperty("knowledgeFiles")[0].GetString()));
        Assert.Equal([2, 1], (await Api.GetAsync(versions)).Is(200).GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("versionNumber").GetInt32()));
        var byId = (await Api.GetAsync($"{versions}/{first.GetProperty("id").GetString()}")).Is(200);
        Assert.Equal(byId.GetRawText(), (await Api.GetAsync($"{versions}/1")).Is(200).GetRawText());
    }

    [Fact(Timeout = Limit)]
    public async Task OneVersionIsActive_AtMost()
    {
        var versions = $"/api/agents/{await DeployAsync()}/versions";
        await Api.PostAsync(versions, """{"systemPrompt":"one"}""");
        await Api.PostAsync(versions, """{"systemPrompt":"two"}""");

        var activated = (await Api.PostAsync($"{versions}/1/activate")).Is(200);
        Assert.Equal((true, 1), (activated.GetProperty("activated").GetBoolean(), activated.GetProperty("versionNumber").GetInt32()));
        await Api.PostAsync($"{versions}/2/activate");
        Assert.Equal([true, false], (await Api.GetAsync(versions)).Is(200).GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("isActive").GetBoolean()));
        (await Api.DeleteAsync($"{versions}/2")).IsDeleted();
        (await Api.GetAsync($"{versions}/2")).IsError(404, "version_not_found", "Version not found");
    }

    [Fact(Timeout = Limit)]
    public async Task Version_IsChanged_FieldByField()
    {
        var versions = $"/api/agents/{await DeployAsync()}/versions";
        await Api.PostAsync(versions, """{"systemPrompt":"one","releaseNotes":"n"}""");

        var changed = (await Api.PatchAsync($"{versions}/1", """{"systemPrompt":"uno"}""")).Is(200).GetProperty("version");

        Assert.Equal(("uno", "n"), (changed.GetProperty("systemPrompt").GetString(), changed.GetProperty("releaseNotes").GetString()));
        (await Api.PatchAsync($"{versions}/1", """{"cloneFrom":1}""")).IsError(400, "invalid_request");
        (await Api.PatchAsync($"{versions}/7", "{}")).IsError(404, "version_not_found", "Version not found");
        (await Api.DeleteAsync($"{versions}/7")).IsError(404, "version_not_found", "Version not found");
        (await Api.PostAsync($"{versions}/7/activate")).IsError(404, "version_not_found", "Version not found");
    }

    [Fact(Timeout = Limit)]
    public async Task Version_ThatCannotBe_IsRefused()
    {
        var versions = $"/api/agents/{await DeployAsync()}/versions";

        (await Api.PostAsync(versions, """{"cloneFrom":9}""")).IsError(400, "invalid_request", "Source version 9 not found");
        (await Api.PostAsync(versions, $$"""{"name":"{{new string('n', 256)}}"}""")).IsError(400, "invalid_request");
        (await Api.PostAsync(versions, $$"""{"systemPrompt":"{{new string('p', 1_000_001)}}"}""")).IsError(400, "invalid_request");
        (await Api.PostAsync(versions, """{"knowledgeFiles":[null]}""")).IsError(400, "invalid_request");
        (await Api.PostAsync(versions, """{"knowledgeFiles":"a"}""")).IsError(400, "invalid_request");
        Assert.Equal(JsonValueKind.Null, (await Api.PostAsync(versions, "{}")).Is(201).GetProperty("version").GetProperty("systemPrompt").ValueKind);
    }

    [Theory(Timeout = Limit)]
    [InlineData("GET", "")]
    [InlineData("POST", "")]
    [InlineData("GET", "/1")]
    [InlineData("PATCH", "/1")]
    [InlineData("DELETE", "/1")]
    [InlineData("POST", "/1/activate")]
    public async Task VersionsOfNoAgent_AreNotFound(string method, string rest) =>
        (await Api.SendAsync(method, $"/api/agents/nobody/versions{rest}", method is "POST" or "PATCH" ? "{}" : null))
            .IsError(404, "agent_not_found", "Agent not found");
}
