using System.Runtime.InteropServices;
using System.Text.Json;
using Ash.Simulator.Replies;
using Ash.Simulator.Requests;
using Ash.Simulator.Scripts;

namespace Ash.Simulator;

/// <summary><c>ash-server simulate</c>: the scripted model as a program of its own, until SIGINT or SIGTERM.</summary>
public static class SimulateCommand
{
    private const int Failed = 1;
    private const int BadUsage = 2;

    /// <returns>The exit status: 0, 1 when it could not start, 2 for wrong arguments.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

        return await RunAsync(args, Console.Out, Console.Error, stop.Token);

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    internal static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken stoppingToken)
    {
        SimulateArguments arguments;

        try
        {
            arguments = SimulateArguments.Parse(args);
        }
        catch (FormatException wrong)
        {
            await error.WriteLineAsync($"simulate: {wrong.Message} (--help lists the options)");
            return BadUsage;
        }

        if (arguments.WantsHelp)
        {
            await output.WriteLineAsync(SimulateArguments.Help);
            return 0;
        }

        try
        {
            await using var host = await SimulatorHost.StartAsync(
                arguments.Options, arguments.Endpoint, arguments.SocketPath, stoppingToken);

            if (!arguments.IsQuiet)
            {
                var log = TextWriter.Synchronized(error);
                host.Simulator.Answered += request => log.WriteLine(Describe(request));
            }

            await SayReadyAsync(arguments, host, output);
            await WaitAsync(stoppingToken);
            return 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ScriptException)
        {
            await error.WriteLineAsync($"simulate: {failure.Message}");
            return Failed;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return 0;
        }
    }

    private static async Task SayReadyAsync(SimulateArguments arguments, SimulatorHost host, TextWriter output)
    {
        var url = host.BaseAddress.GetLeftPart(UriPartial.Authority);
        var key = arguments.Options.RequiredKey ?? "anything";

        if (arguments.Endpoint is not null)
        {
            await output.WriteLineAsync($"Scripted model on {url}");
            await output.WriteLineAsync($"Ash:         ASH_MODEL_BASE_URL={url} ANTHROPIC_API_KEY={key} ash-server");
            await output.WriteLineAsync($"Claude Code: ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY={key} claude");
        }

        if (host.SocketPath is { } path)
        {
            await output.WriteLineAsync($"Scripted model on unix:{path}");
            await output.WriteLineAsync(
                $"Claude Code: ANTHROPIC_UNIX_SOCKET={path} ANTHROPIC_BASE_URL=http://model.invalid ANTHROPIC_API_KEY={key} claude");
        }

        await output.FlushAsync();

        if (arguments.ReadyFile is { } file)
        {
            await WriteReadyFileAsync(file, arguments.Endpoint is null ? null : host.BaseAddress.Port, host.SocketPath);
        }
    }

    /// <summary>Written aside and renamed, so that nobody reads half of it.</summary>
    private static async Task WriteReadyFileAsync(string file, int? port, string? socketPath)
    {
        await File.WriteAllBytesAsync($"{file}.tmp", ReplyJson.WriteObject(json =>
        {
            WritePort(json, port);
            json.WriteString("unix", socketPath);
            json.WriteNumber("pid", Environment.ProcessId);
        }));
        File.Move($"{file}.tmp", file, overwrite: true);
    }

    private static void WritePort(Utf8JsonWriter json, int? port)
    {
        if (port is { } number)
        {
            json.WriteNumber("port", number);
        }
        else
        {
            json.WriteNull("port");
        }
    }

    private static async Task WaitAsync(CancellationToken stoppingToken)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stoppingToken.Register(stopped.SetResult);
        await stopped.Task;
    }

    private static string Describe(RecordedRequest request) =>
        $"#{request.Number} {request.Method} {request.Path} {request.Reply?.Source} -> {request.Outcome?.Description} ({request.Outcome?.Took.TotalMilliseconds:F0} ms)";
}
