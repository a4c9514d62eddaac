using System.Text.Json;
using Ash.Contract.Tests.Checked;

namespace Ash.Contract.Tests;

/// <summary>Contract 15.5, D2: every list has pages, and says how many there are where that is asked.</summary>
public sealed class ListTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task ListOfOneThing_IsReadInPages()
    {
        var agent = $"/api/agents/{await DeployAsync()}";
        await Api.PatchAsync(agent, """{"systemPrompt":"another"}""");
        await Api.PostAsync($"{agent}/versions", """{"systemPrompt":"one"}""");
        await Api.PostAsync($"{agent}/versions", """{"systemPrompt":"two"}""");
        var session = await CreateSessionAsync(agent.Split('/')[^1]);
        await Api.PostAsync($"{session}/attachments", """{"filename":"one","mimeType":"text/plain","content":"eA=="}""");
        await Api.PostAsync($"{session}/attachments", """{"filename":"two","mimeType":"text/plain","content":"eA=="}""");

        foreach (var list in new[] { $"{agent}/versions", $"{agent}/deploys", $"{session}/attachments" })
        {
            var all = Items(await Api.GetAsync(list));
            Assert.Equal(2, all.Count);
            Assert.Equal([all[0]], Items(await Api.GetAsync($"{list}?limit=1")));
            Assert.Equal([all[1]], Items(await Api.GetAsync($"{list}?limit=1&offset=1")));
            Assert.Empty(Items(await Api.GetAsync($"{list}?offset=2")));
            Assert.Equal(2, (await Api.GetAsync($"{list}?limit=1&includeTotal=true")).Is(200).GetProperty("total").GetInt32());
            (await Api.GetAsync($"{list}?limit=0")).IsError(400, "invalid_request", "querystring/limit must be an integer from 1 to 1000");
        }
    }

    /// <remarks>Other tests have agents, keys and credentials as well.</remarks>
    [Fact(Timeout = Limit)]
    public async Task ListOfATenant_IsReadInPages()
    {
        List<string> made = [];
        for (var i = 0; i < 2; i++)
        {
            await DeployAsync();
            made.Add($"/api/api-keys/{(await Api.PostAsync("/api/api-keys")).Is(201).GetProperty("id").GetString()}");
            var credential = (await Api.PostAsync("/api/credentials", """{"type":"custom","key":"k"}""")).Is(201).GetProperty("credential");
            made.Add($"/api/credentials/{credential.GetProperty("id").GetString()}");
        }

        foreach (var list in new[] { "/api/agents", "/api/api-keys", "/api/credentials" })
        {
            var page = await Api.GetAsync($"{list}?limit=1&offset=1&includeTotal=true");
            Assert.Single(Items(page));
            Assert.InRange(page.Is(200).GetProperty("total").GetInt32(), 2, int.MaxValue);
            Assert.Empty(Items(await Api.GetAsync($"{list}?offset=1000000")));
            (await Api.GetAsync($"{list}?offset=x")).IsError(400, "invalid_request", "querystring/offset must be an integer >= 0");
        }

        foreach (var one in made)
        {
            (await Api.DeleteAsync(one)).IsDeleted();
        }
    }

    private static List<string> Items(Answer answer) =>
        [.. answer.Is(200).EnumerateObject().First(field => field.Value.ValueKind == JsonValueKind.Array).Value.EnumerateArray().Select(item => item.GetRawText())];
}
