using System.Text;
using System.Text.Json;
using Ash.Simulator.Replies;
using Ash.Simulator.Requests;
using Ash.Simulator.Scripts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Ash.Simulator;

/// <summary>What tests in another process steer the scripted model with. It asks for no key: for loopback and tests only.</summary>
public static class SimulatorControl
{
    /// <summary>Maps everything under <c>/__fake</c>.</summary>
    public static RouteGroupBuilder MapSimulatorControl(this IEndpointRouteBuilder routes)
    {
        var control = routes.MapGroup("/__fake");

        control.MapGet("/health", GetHealth);
        control.MapGet("/requests", GetRequests);
        control.MapPut("/script", PutScriptAsync);
        control.MapPost("/queue", QueueAsync);
        control.MapPost("/release/{gate}", Release);
        control.MapPost("/reset", Reset);

        return control;
    }

    private static IResult GetHealth(ModelSimulator simulator) => Json(json =>
    {
        json.WriteBoolean("ok", true);
        json.WriteNumber("seq", simulator.Log.LastNumber);
        json.WriteNumber("active", simulator.Requests.Count(request => request.Outcome is null));
        json.WriteStartObject("held");

        foreach (var (gate, count) in simulator.Gates.Held())
        {
            json.WriteNumber(gate, count);
        }

        json.WriteEndObject();
    });

    private static IResult GetRequests(ModelSimulator simulator, long since = 0, int bodies = 1) =>
        Results.Bytes(ReplyJson.Write(json =>
        {
            json.WriteStartArray();

            foreach (var request in simulator.Requests.Where(request => request.Number > since))
            {
                RequestJson.Write(json, request, withBody: bodies != 0);
            }

            json.WriteEndArray();
        }), "application/json");

    private static Task<IResult> PutScriptAsync(ModelSimulator simulator, HttpRequest request, CancellationToken cancellationToken) =>
        ChangeAsync(request, script =>
        {
            simulator.SetScript(script);
            return Ok();
        }, cancellationToken);

    private static Task<IResult> QueueAsync(ModelSimulator simulator, HttpRequest request, CancellationToken cancellationToken) =>
        ChangeAsync(request, steps =>
        {
            var queued = simulator.Playbook.Enqueue(Script.ParseSteps(steps));

            return Json(json =>
            {
                json.WriteBoolean("ok", true);
                json.WriteNumber("queued", queued);
            });
        }, cancellationToken);

    private static IResult Release(ModelSimulator simulator, string gate)
    {
        var held = simulator.Release(gate);

        return Json(json =>
        {
            json.WriteBoolean("ok", true);
            json.WriteNumber("held", held);
        });
    }

    private static IResult Reset(ModelSimulator simulator)
    {
        simulator.Reset();
        return Ok();
    }

    private static async Task<IResult> ChangeAsync(HttpRequest request, Func<string, IResult> change, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(request.Body, Encoding.UTF8);

        try
        {
            return change(await reader.ReadToEndAsync(cancellationToken));
        }
        catch (ScriptException invalid)
        {
            return Json(json => json.WriteString("error", invalid.Message), StatusCodes.Status400BadRequest);
        }
    }

    private static IResult Ok() => Json(json => json.WriteBoolean("ok", true));

    private static IResult Json(Action<Utf8JsonWriter> write, int status = StatusCodes.Status200OK) =>
        Results.Text(ReplyJson.WriteObject(write), "application/json", status);
}
