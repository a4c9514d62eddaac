using System.Text.Json.Serialization;

namespace Ash.Protocol.Bridge;

/// <summary>The header of a frame that the server sends to the bridge.</summary>
/// <remarks>
/// A command is executed once however often it is sent: the bridge remembers the last
/// <see cref="BridgeProtocol.RememberedCommands"/> ids and answers a repeat with the first <see cref="CommandDone"/>.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Welcome), "welcome")]
[JsonDerivedType(typeof(Acknowledge), "ack")]
[JsonDerivedType(typeof(Configure), "configure")]
[JsonDerivedType(typeof(StartCli), "start_cli")]
[JsonDerivedType(typeof(WriteLine), "write")]
[JsonDerivedType(typeof(CloseInput), "close_input")]
[JsonDerivedType(typeof(KillCli), "kill_cli")]
[JsonDerivedType(typeof(Exec), "exec")]
[JsonDerivedType(typeof(KillExec), "kill_exec")]
[JsonDerivedType(typeof(Shutdown), "shutdown")]
public abstract record BridgeCommand;

/// <summary>The answer to <see cref="Hello"/>: everything after <paramref name="Acknowledged"/> is sent again.</summary>
public sealed record Welcome(long Acknowledged) : BridgeCommand;

/// <summary>Every frame up to this number is stored; the bridge may forget it.</summary>
public sealed record Acknowledge(long Number) : BridgeCommand;

/// <summary>A command with an id, answered by one <see cref="CommandDone"/>.</summary>
public abstract record IdentifiedCommand(string Id) : BridgeCommand;

/// <summary>Sets the environment that the CLI and executed commands get; replaces an earlier one. It outlives the server.</summary>
public sealed record Configure(string Id, IReadOnlyDictionary<string, string> Environment) : IdentifiedCommand(Id);

/// <summary>Starts the CLI; refused while one is running.</summary>
/// <param name="Id">The command's id.</param>
/// <param name="Arguments">Program (an absolute path inside) and arguments.</param>
/// <param name="Environment">Added to the configured environment.</param>
public sealed record StartCli(
    string Id, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string>? Environment = null) : IdentifiedCommand(Id);

/// <summary>Writes the payload and a line end to the CLI's standard input, in order of arrival; refused where none is running.</summary>
public sealed record WriteLine(string Id, int Bytes) : IdentifiedCommand(Id), IPayloadFrame;

/// <summary>Closes the CLI's standard input: it finishes what it does and exits.</summary>
public sealed record CloseInput(string Id) : IdentifiedCommand(Id);

/// <summary>Kills the CLI and everything else inside but the bridge.</summary>
public sealed record KillCli(string Id) : IdentifiedCommand(Id);

/// <summary>Runs <c>sh -c</c> in the workspace. Done once it runs; <see cref="ExecOutput"/> and one <see cref="ExecExited"/> follow.</summary>
/// <param name="Id">The command's id.</param>
/// <param name="Command">The shell command.</param>
/// <param name="TimeoutMs">Milliseconds after which its process group is killed.</param>
public sealed record Exec(string Id, string Command, int TimeoutMs) : IdentifiedCommand(Id);

/// <summary>Kills the process group of the executed command <paramref name="Target"/>; harmless where it has ended.</summary>
public sealed record KillExec(string Id, string Target) : IdentifiedCommand(Id);

/// <summary>Ends everything inside, the bridge last.</summary>
public sealed record Shutdown(string Id) : IdentifiedCommand(Id);
