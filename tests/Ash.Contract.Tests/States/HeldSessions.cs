using System.Text;
using Ash.Contract.Tests.Checked;
using Ash.Testing;

namespace Ash.Contract.Tests.States;

/// <summary>A server with one place for a sandbox, where a paused session loses its own at once.</summary>
public sealed class HeldSessions : IAsyncLifetime
{
    private readonly Dictionary<string, StatefulSession> _free = [];
    private AshServer? _server;
    private string? _holder;
    private StatefulSession? _starting;
    private int _gates;

    /// <summary>Of that server; set before the first session is taken.</summary>
    internal Api Api { get; private set; } = null!;

    /// <summary>The answer of the request that the last starting session is made by.</summary>
    internal Task<Answer> Creation { get; private set; } = null!; // As above.

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            Api.Dispose();
            await _server.DisposeAsync();
        }
    }

    internal async Task<StatefulSession> TakeAsync(string state, ContractServer contract)
    {
        await StartAsync(contract);
        // A start that is held, for a test that is over or that failed, would keep the only place.
        if (_starting is not null && !(state == "starting" && _free.ContainsKey(state)))
        {
            _starting.Release!.Invoke(); // One that starts is held.
            _starting = null;
            _free.Remove("starting");
            await Creation;
        }

        if (_free.Remove(state, out var free))
        {
            return free;
        }

        return state switch
        {
            "starting" => await StartAsync(),
            "evicted" => await EvictAsync(),
            _ => await FailAsync(),
        };
    }

    internal void Give(StatefulSession session) => _free[session.State] = session;

    private async Task StartAsync(ContractServer contract)
    {
        if (_server is not null)
        {
            return;
        }

        _server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?>
            {
                ["ASH_MAX_SANDBOXES"] = "1",
                ["ASH_CAPACITY_WAIT"] = "10m",
                ["ASH_PAUSE_GRACE"] = "0",
            },
        });
        Api = new Api(_server.Url, _server.ApiKey, contract.Description, contract.Coverage);
        (await Api.PostAsync("/api/agents", """{"name":"held","systemPrompt":"You are a test agent."}""")).Is(201);
        _holder = await CreateAsync("held");
    }

    /// <summary>One whose start waits for the place of a session in which a turn runs.</summary>
    private async Task<StatefulSession> StartAsync()
    {
        var model = _server!.Model; // Started before.
        var gate = $"held-{++_gates}";
        using (await Api.OpenAsync("POST", $"{_holder}/messages", Encoding.UTF8.GetBytes(ContractTests.HeldMessage(gate))))
        {
            await model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken);
        }

        Creation = Api.PostAsync("/api/sessions", """{"agent":"held"}""");
        while (true)
        {
            var starting = (await Api.GetAsync("/api/sessions?status=starting")).Is(200).GetProperty("sessions");
            if (starting.GetArrayLength() > 0)
            {
                var address = $"/api/sessions/{starting[0].GetProperty("id").GetString()}";

                // Its files are laid out just after it is listed.
                if ((await Api.GetAsync($"{address}/files")).Status == 200)
                {
                    return _starting = new StatefulSession(address, "starting", () => model.Release(gate));
                }
            }

            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }

    private async Task<StatefulSession> EvictAsync()
    {
        var address = await CreateAsync("held");
        (await Api.PostAsync($"{address}/pause")).Is(200);
        while ((await Api.GetAsync($"{address}/files")).Is(200).GetProperty("source").GetString() != "snapshot")
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        return new StatefulSession(address, "evicted");
    }

    /// <summary>One that could not be woken, since its agent's files were away; they are back.</summary>
    private async Task<StatefulSession> FailAsync()
    {
        var agent = $"failing-{++_gates}";
        var deployed = (await Api.PostAsync("/api/agents", $$"""{"name":"{{agent}}","systemPrompt":"You are {{agent}}."}""")).Is(201);
        var content = deployed.GetProperty("agent").GetProperty("path").GetString()!; // An agent has one.
        var address = await CreateAsync(agent);
        (await Api.PostAsync($"{address}/stop")).Is(200);
        Directory.Move(content, $"{content}.away");
        (await Api.PostAsync($"{address}/resume")).IsError(500, "sandbox_failed");
        Directory.Move($"{content}.away", content);
        Assert.Equal("error", (await Api.GetAsync(address)).Is(200).GetProperty("session").GetProperty("status").GetString());
        return new StatefulSession(address, "error");
    }

    private async Task<string> CreateAsync(string agent)
    {
        var session = (await Api.PostAsync("/api/sessions", $$"""{"agent":"{{agent}}"}""")).Is(201).GetProperty("session");
        return $"/api/sessions/{session.GetProperty("id").GetString()}";
    }
}
