using Ash.Benchmarks;
using Ash.Benchmarks.Scenarios;

IScenario[] all =
[
    new SessionCreation(),
    new CreationRate(),
    new ClaimedCreation(),
    new FirstMessage(),
    new SessionLookup(),
    new TurnShare(),
    new EventLatency(),
    new EventRate(),
    new LogReplay(),
    new Resume(),
    new BrokerShare(),
    new TurnsAtOneInstant(),
    new NoisyNeighbours(),
    new IdleServer(),
    new Viewers(),
    new Density(),
    new Growth(),
    new Allocations(),
];

// Small enough for every change: the figures that show first where something became slow.
string[] smoke = ["create", "turn", "event-latency", "idle"];

var name = args.FirstOrDefault() ?? "all";
var chosen = name switch
{
    "all" => all,
    "smoke" => [.. all.Where(scenario => smoke.Contains(scenario.Name))],
    _ => [.. all.Where(scenario => scenario.Name == name)],
};
if (chosen.Length == 0)
{
    Console.Error.WriteLine($"There is no benchmark \"{name}\"; there are all, smoke, {string.Join(", ", all.Select(scenario => scenario.Name))}.");
    return 2;
}

var effort = Effort.Of(name == "smoke" ? 0.5 : 1);
var report = new Report(name, effort);
var failed = 0;
foreach (var scenario in chosen)
{
    Console.WriteLine($"{scenario.Name} ...");
    try
    {
        report.Add(await scenario.RunAsync(effort));
    }
#pragma warning disable CA1031 // The others take long enough to be worth keeping.
    catch (Exception failure)
#pragma warning restore CA1031
    {
        Console.Error.WriteLine($"{scenario.Name} failed: {failure}");
        failed++;
    }
}

report.Print();
report.Save();
return failed == 0 ? 0 : 1;
