using System.Globalization;
using Ash.Protocol.Bridge;
using Ash.Protocol.Launch;

namespace Ash.Bridge;

/// <summary>What <c>ash-bridge run</c> can be told.</summary>
internal sealed record RunOptions
{
    internal TimeSpan OrphanTimeout { get; init; } = BridgeProtocol.DefaultOrphanTimeout;

    internal string HostSocket { get; init; } = SandboxPaths.HostSocket;

    internal string BrokerSocket { get; init; } = SandboxPaths.BrokerSocket;

    internal int RelayPort { get; init; } = SandboxPaths.RelayPort;

    /// <summary>Null where the arguments make no sense.</summary>
    internal static RunOptions? Parse(ReadOnlySpan<string> arguments)
    {
        var options = new RunOptions();
        for (; arguments is [var name, var value, ..]; arguments = arguments[2..])
        {
            if (options.With(name, value) is not { } more)
            {
                return null;
            }

            options = more;
        }

        return arguments.IsEmpty ? options : null;
    }

    private RunOptions? With(string name, string value) => name switch
    {
        "--orphan-timeout" when IsSeconds(value, out var seconds) => this with { OrphanTimeout = TimeSpan.FromSeconds(seconds) },
        "--host-socket" when value.StartsWith('/') => this with { HostSocket = value },
        "--broker-socket" when value.StartsWith('/') => this with { BrokerSocket = value },
        "--relay-port" when ushort.TryParse(value, CultureInfo.InvariantCulture, out var port) && port > 0 =>
            this with { RelayPort = port },
        _ => null,
    };

    private static bool IsSeconds(string value, out double seconds) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out seconds)
        && seconds is > 0 and < int.MaxValue / 1000;
}
