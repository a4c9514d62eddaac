using System.Text;
using System.Text.Json;
using Ash.Cli.Servers;

namespace Ash.Cli.Tests;

/// <summary>A home folder of its own, in which the command is run as often as wanted.</summary>
internal sealed class TestHome : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("ash-cli-").FullName;

    public Dictionary<string, string> Environment { get; } = [];

    public string ProgramFolder { get; set; } = "/nonexistent";

    public string ConfigFile => Path.Combine(Folder, ".ash", "config.json");

    /// <summary>Programs that the command became.</summary>
    public List<ServerProgram> Became { get; } = [];

    /// <summary>Ctrl-C, of all that is run.</summary>
    public Interrupts Interrupts { get; } = new();

    /// <summary>What a person at the terminal says, one after the other; then they leave. Called on a thread that may be held up.</summary>
    public Func<string?> Say { get; set; } = () => null;

    public TimeProvider Clock { get; set; } = TimeProvider.System;

    public Task<CliRun> RunAsync(params string[] args) => RunAsync(args, input: "");

    public async Task<CliRun> RunAsync(
        string[] args, string input = "", bool isTerminal = false, TextWriter? output = null, CancellationToken cancellationToken = default)
    {
        using var error = new StringWriter();
        using var captured = new StringWriter();
        using var bytes = new MemoryStream();
        var host = new CliHost
        {
            In = new StringReader(input),
            Out = output ?? captured,
            Error = error,
            OpenOut = () => bytes,
            Interrupts = Interrupts,
            ReadMessage = () => Say(),
            Clock = Clock,
            InIsTerminal = isTerminal,
            OutIsTerminal = isTerminal,
            ErrorIsTerminal = isTerminal,
            Environment = Environment,
            HomeFolder = Folder,
            ProgramFolder = ProgramFolder,
            Become = (program, _) =>
            {
                Became.Add(program);
                return 42;
            },
        };
        var exitCode = await AshCli.RunAsync(args, host, cancellationToken);
        return new CliRun(exitCode, captured + Encoding.UTF8.GetString(bytes.ToArray()), error.ToString());
    }

    public string Config(string name)
    {
        using var config = JsonDocument.Parse(File.ReadAllText(ConfigFile));
        return config.RootElement.TryGetProperty(name, out var value) ? value.ToString() : "";
    }

    /// <summary>Writes a file below the home, with its folders.</summary>
    public string Write(string path, string text = "")
    {
        var full = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!); // A path in the home has a folder.
        File.WriteAllText(full, text);
        return full;
    }

    public void Dispose()
    {
        Interrupts.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
