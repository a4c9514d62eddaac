using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using static Ash.Simulator.Tests.ModelRequests;

namespace Ash.Simulator.Tests;

public sealed class SimulatorEndpointsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnyApplication_CanServeTheModel_UnderAPathOfItsOwn()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSimulator(new SimulatorOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.UseRouting();
        app.MapGroup("/model").MapMessagesApi();
        await app.StartAsync(Cancelled);
        using var client = new HttpClient { BaseAddress = new(app.Urls.Single()) };

        using var response = await client.PostAsJsonAsync("/model/v1/messages", Body(User("hello")), Cancelled);
        var message = await response.Content.ReadFromJsonAsync<JsonNode>(Cancelled);

        Assert.Equal("[Mock] Turn 1 | History: hello", (string?)message!["content"]![0]!["text"]);
        Assert.Single(app.Services.GetRequiredService<ModelSimulator>().Requests);
        await app.StopAsync(Cancelled);
    }
}
