using System.Text;
using Ash.Protocol.Launch;
using Ash.Testing;

namespace Ash.Benchmarks.Floors;

/// <summary>How the product started a CLI, as the kernel tells it: what a bare one is to be started with.</summary>
internal sealed record ProductCli(IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>Of any session's CLI on this server, as soon as there is one.</summary>
    public static async Task<ProductCli> ReadAsync(AshServer server)
    {
        for (var tries = 0; tries < 500; tries++)
        {
            foreach (var process in server.Processes())
            {
                var command = Read(process.Pid, "cmdline");
                if (command is [SandboxPaths.Cli, ..])
                {
                    var environment = Read(process.Pid, "environ").Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2);
                    return new ProductCli(command[1..], environment.ToDictionary(pair => pair[0], pair => pair[1]));
                }
            }

            await Task.Delay(20);
        }

        throw new InvalidOperationException("The server has started no CLI.");
    }

    private static string[] Read(int pid, string name)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{pid}/{name}")).TrimEnd('\0').Split('\0');
        }
        catch (IOException)
        {
            // It ended while we looked.
            return [];
        }
    }
}
