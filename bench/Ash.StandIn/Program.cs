using Ash.StandIn;

// It is started with the CLI's own arguments; none of them matters here.
using var input = new StreamReader(Console.OpenStandardInput());
using var output = Console.OpenStandardOutput();
var agent = new Agent(output);
while (await input.ReadLineAsync() is { } line)
{
    await agent.TakeAsync(line);
}
