using System.Diagnostics;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.StartUp;

/// <summary>One run of the published <c>ash-server</c> that ends by itself.</summary>
internal sealed record ServerRun(int ExitCode, string Out, string Error)
{
    /// <summary>Only what is given here counts: no setting of whoever runs the tests.</summary>
    public static Dictionary<string, string?> Settings(params (string Name, string? Value)[] settings)
    {
        Dictionary<string, string?> all = new() { ["ASH_BRIDGE_ENTRY"] = TestPaths.Bridge };
        foreach (var (name, value) in settings)
        {
            all[name] = value;
        }

        return all;
    }

    public static Task<ServerRun> RunAsync(Dictionary<string, string?> settings, params string[] arguments) =>
        RunProgramAsync(TestPaths.Server, settings, arguments);

    /// <summary>Runs it below a shell that has prepared a mount namespace of its own: <c>$ASH</c> is the server.</summary>
    public static Task<ServerRun> RunInOwnMountsAsync(string script, Dictionary<string, string?> settings)
    {
        settings["ASH"] = TestPaths.Server;
        return RunProgramAsync("unshare", settings, "--mount", "sh", "-ec", script);
    }

    private static async Task<ServerRun> RunProgramAsync(string program, Dictionary<string, string?> settings, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("ASH_", StringComparison.Ordinal) || name == "ANTHROPIC_API_KEY").ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!; // Started without the shell, there is always a process.
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return new ServerRun(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }
}
