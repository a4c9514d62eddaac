using System.Text.Json;
using Ash.Simulator.Replies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Ash.Simulator;

/// <summary>The HTTP face of the scripted model: the Messages API as far as agents use it.</summary>
public static class SimulatorEndpoints
{
    private static readonly string[] Models = ["claude-sonnet-5", "claude-opus-4-8", "claude-haiku-4-5"];

    /// <summary>Maps <c>/v1/messages</c>, <c>/v1/messages/count_tokens</c> and <c>/v1/models</c>.</summary>
    public static IEndpointRouteBuilder MapMessagesApi(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/messages", Answer(AnswerAsync));
        routes.MapPost("/v1/messages/count_tokens", Answer(CountTokensAsync));
        routes.MapGet("/v1/models", Answer(ListModelsAsync));
        routes.MapGet("/v1/models/{id}", Answer(FindModelAsync));

        return routes;
    }

    /// <summary>Maps all other paths: <c>HEAD</c> and <c>GET /</c> find a server, the rest gets the API's 404 and is recorded.</summary>
    internal static IEndpointRouteBuilder MapOtherPaths(this IEndpointRouteBuilder routes)
    {
        routes.MapMethods("{**path}", [HttpMethods.Head], Answer(SayHereAsync));
        routes.MapGet("/", Answer(SayHereAsync));
        routes.MapFallback("{**path}", Answer(FindNothingAsync));

        return routes;
    }

    private static RequestDelegate Answer(Func<Exchange, Task<string>> answer) => context => HandleAsync(context, answer);

    private static Task HandleAsync(HttpContext context, Func<Exchange, Task<string>> answer) =>
        context.RequestServices.GetRequiredService<RequestDesk>().HandleAsync(context, answer);

    private static Task<string> AnswerAsync(Exchange exchange) => exchange.AnswerAsync();

    private static async Task<string> CountTokensAsync(Exchange exchange)
    {
        if (!exchange.TryReadBody(out var body))
        {
            return await exchange.SendErrorAsync(400, "The request body is not a JSON object.");
        }

        await exchange.SendJsonAsync(200, ReplyJson.WriteObject(json => json.WriteNumber("input_tokens", ModelRequest.CountTokens(body))));
        return "200 count_tokens";
    }

    private static async Task<string> ListModelsAsync(Exchange exchange)
    {
        var models = exchange.Models ?? Models;

        await exchange.SendJsonAsync(200, ReplyJson.WriteObject(json =>
        {
            json.WriteStartArray("data");

            foreach (var model in models)
            {
                WriteModel(json, model);
            }

            json.WriteEndArray();
            json.WriteBoolean("has_more", false);
            json.WriteString("first_id", models is [var first, ..] ? first : null);
            json.WriteString("last_id", models is [.., var last] ? last : null);
        }));

        return "200 models";
    }

    private static async Task<string> FindModelAsync(Exchange exchange)
    {
        var id = exchange.Request.RouteValues["id"] as string ?? "";

        if (!(exchange.Models ?? Models).Contains(id))
        {
            return await exchange.SendErrorAsync(404, $"model: {id}");
        }

        await exchange.SendJsonAsync(200, ReplyJson.Write(json => WriteModel(json, id)));
        return "200 model";
    }

    private static void WriteModel(Utf8JsonWriter json, string id)
    {
        json.WriteStartObject();
        json.WriteString("type", "model");
        json.WriteString("id", id);
        json.WriteString("display_name", id);
        json.WriteString("created_at", "2026-01-01T00:00:00Z");
        json.WriteEndObject();
    }

    private static Task<string> FindNothingAsync(Exchange exchange) =>
        exchange.SendErrorAsync(404, $"no route {exchange.Request.Method} {exchange.Request.Path}");

    private static Task<string> SayHereAsync(Exchange exchange) => Task.FromResult("200");
}
