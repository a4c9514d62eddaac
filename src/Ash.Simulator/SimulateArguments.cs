using System.Globalization;
using System.Net;

namespace Ash.Simulator;

/// <summary>What <c>ash-server simulate</c> was called with.</summary>
internal sealed record SimulateArguments
{
    public const int DefaultPort = 4190;

    public const string Help = """
        usage: ash-server simulate [options]

        A scripted stand-in for the Anthropic Messages API, to test agents without a key and without cost.

          --port N        TCP port (default 4190; 0 takes a free one)
          --host ADDR     address to listen on (default 127.0.0.1)
          --unix PATH     listen on a Unix socket instead; with --port as well, on both
          --script FILE   a script; without it the answer repeats what the user said so far
          --key KEY       answer 401 unless x-api-key or the bearer token is KEY
          --log DIR       write each request to a file in DIR; they hold keys and all that users say
          --ready FILE    write {"port":N,"unix":PATH,"pid":N} to FILE once listening
          --quiet         print nothing per request
          --help          show this

        It asks nobody who they are: keep it on the loopback address or on a Unix socket.
        """;

    public IPEndPoint? Endpoint { get; init; }

    public string? SocketPath { get; init; }

    public required SimulatorOptions Options { get; init; }

    public string? ReadyFile { get; init; }

    public bool IsQuiet { get; init; }

    public bool WantsHelp { get; init; }

    /// <exception cref="FormatException">The message says what is wrong.</exception>
    public static SimulateArguments Parse(IReadOnlyList<string> args)
    {
        int? port = null;
        var address = IPAddress.Loopback;
        var parsed = new SimulateArguments { Options = new() };

        for (var at = 0; at < args.Count; at++)
        {
            var name = args[at];

            string Value() => ++at < args.Count ? args[at] : throw new FormatException($"{name} needs a value.");

            switch (name)
            {
                case "--port":
                    port = ParsePort(Value());
                    break;
                case "--host":
                    address = ParseAddress(Value());
                    break;
                case "--unix":
                    parsed = parsed with { SocketPath = Path.GetFullPath(Value()) };
                    break;
                case "--script":
                    parsed = parsed with { Options = parsed.Options with { ScriptFile = Value() } };
                    break;
                case "--key":
                    parsed = parsed with { Options = parsed.Options with { RequiredKey = Value() } };
                    break;
                case "--log":
                    parsed = parsed with { Options = parsed.Options with { LogDirectory = Value() } };
                    break;
                case "--ready":
                    parsed = parsed with { ReadyFile = Path.GetFullPath(Value()) };
                    break;
                case "--quiet":
                    parsed = parsed with { IsQuiet = true };
                    break;
                case "-h" or "--help":
                    parsed = parsed with { WantsHelp = true };
                    break;
                default:
                    throw new FormatException($"unknown option {name}");
            }
        }

        return port is null && parsed.SocketPath is not null
            ? parsed
            : parsed with { Endpoint = new(address, port ?? DefaultPort) };
    }

    private static int ParsePort(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? port
            : throw new FormatException($"--port {text}: a port is a number from 0 to 65535.");

    private static IPAddress ParseAddress(string text) =>
        text == "localhost" ? IPAddress.Loopback
            : IPAddress.TryParse(text, out var address) ? address
            : throw new FormatException($"--host {text}: not an IP address.");
}
