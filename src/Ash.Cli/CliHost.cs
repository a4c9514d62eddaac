using System.Collections;
using Ash.Cli.Chat;
using Ash.Cli.Servers;

namespace Ash.Cli;

/// <summary>All that a command touches outside itself, besides files and the network.</summary>
internal sealed record CliHost
{
    public required TextReader In { get; init; }
    public required TextWriter Out { get; init; }
    public required TextWriter Error { get; init; }

    /// <summary>The standard output for bytes. Nothing is written to <see cref="Out"/> as well.</summary>
    public required Func<Stream> OpenOut { get; init; }

    /// <summary>Whether a person writes <see cref="In"/>.</summary>
    public bool InIsTerminal { get; init; }

    /// <summary>Whether a person looks at <see cref="Out"/>.</summary>
    public bool OutIsTerminal { get; init; }

    /// <summary>Whether a person looks at <see cref="Error"/>.</summary>
    public bool ErrorIsTerminal { get; init; }

    public required IReadOnlyDictionary<string, string> Environment { get; init; }
    public required string HomeFolder { get; init; }

    /// <summary>Where <c>ash</c> lies; the server is looked for beside it.</summary>
    public required string ProgramFolder { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Ctrl-C.</summary>
    public required Interrupts Interrupts { get; init; }

    /// <summary>Waits for what a person says next, of one line or more; null when there is no more. For terminals.</summary>
    public required Func<string?> ReadMessage { get; init; }

    /// <summary>Becomes another program; returns only where that is not possible.</summary>
    public required Func<ServerProgram, IReadOnlyDictionary<string, string>, int> Become { get; init; }

    /// <summary>A variable of the environment; null where it is not set or empty.</summary>
    public string? Variable(string name) => Environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    public static CliHost OfThisProcess(Interrupts interrupts) => new()
    {
        In = Console.In,
        Out = Console.Out,
        Error = Console.Error,
        OpenOut = Console.OpenStandardOutput,
        InIsTerminal = !Console.IsInputRedirected,
        OutIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        Environment = System.Environment.GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? ""),
        HomeFolder = System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile),
        ProgramFolder = AppContext.BaseDirectory,
        Interrupts = interrupts,
        ReadMessage = TerminalInput.ReadMessage,
        Become = NativeProcess.Become,
    };
}
