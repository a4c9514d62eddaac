using System.Text.Json.Serialization;

namespace Ash.Protocol.Bridge;

/// <summary>The header of a frame that the bridge sends. Raw bytes follow it where it has <see cref="IPayloadFrame.Bytes"/>.</summary>
/// <remarks>
/// All but <see cref="Hello"/> are numbered, 1, 2, 3 … within one bridge's life, and kept by the bridge until the server
/// has acknowledged their number; a reconnect replays what was not acknowledged. To the server this is an attacker's
/// input: a bridge lives among hostile processes.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Hello), "hello")]
[JsonDerivedType(typeof(CliLine), "line")]
[JsonDerivedType(typeof(CliErrorLine), "stderr")]
[JsonDerivedType(typeof(CliLineRefused), "line_refused")]
[JsonDerivedType(typeof(CliStarted), "cli_started")]
[JsonDerivedType(typeof(CliExited), "cli_exited")]
[JsonDerivedType(typeof(ExecOutput), "exec_output")]
[JsonDerivedType(typeof(ExecExited), "exec_exited")]
[JsonDerivedType(typeof(CommandDone), "done")]
public abstract record BridgeEvent
{
    /// <summary>The frame's number; 0 for <see cref="Hello"/>, which has none.</summary>
    [JsonPropertyName("n")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Number { get; init; }
}

/// <summary>Always the first frame on a connection. The server answers with <see cref="Welcome"/>.</summary>
/// <param name="Protocol"><see cref="BridgeProtocol.Version"/> of the sender.</param>
/// <param name="Oldest">Number of the oldest frame still kept; <paramref name="Head"/> + 1 where none is.</param>
/// <param name="Head">Number of the newest frame made so far; 0 where there is none.</param>
/// <param name="Process">Which start of the CLI is running (1, 2 …); 0 where none is.</param>
/// <param name="CliPid">Its pid as seen inside the sandbox; 0 where none is running.</param>
public sealed record Hello(int Protocol, long Oldest, long Head, int Process, int CliPid) : BridgeEvent;

/// <summary>A line of the CLI's standard output, byte for byte, without its line end.</summary>
public sealed record CliLine(int Process, int Bytes) : BridgeEvent, IPayloadFrame;

/// <summary>A line of the CLI's standard error, cut at <see cref="BridgeProtocol.MaxErrorLineBytes"/>.</summary>
public sealed record CliErrorLine(int Process, int Bytes) : BridgeEvent, IPayloadFrame;

/// <summary>A line was longer than <see cref="BridgeProtocol.MaxLineBytes"/> and was thrown away.</summary>
public sealed record CliLineRefused(int Process, long Length) : BridgeEvent;

/// <summary>The CLI was started. <paramref name="Process"/> counts the starts in this sandbox: 1, 2 ….</summary>
public sealed record CliStarted(int Process, int Pid) : BridgeEvent;

/// <summary>The CLI has ended, and with it every other process inside; all its lines came before this frame.</summary>
/// <param name="Process">Which start of the CLI this was.</param>
/// <param name="Code">Exit status, or null where a signal ended it.</param>
/// <param name="Signal">The signal that ended it, or null.</param>
public sealed record CliExited(int Process, int? Code = null, int? Signal = null) : BridgeEvent;

/// <summary>What an executed command wrote: <paramref name="Stream"/> is <c>stdout</c> or <c>stderr</c>.</summary>
public sealed record ExecOutput(string Id, string Stream, int Bytes) : BridgeEvent, IPayloadFrame;

/// <summary>An executed command has ended; all its output came before this frame.</summary>
/// <param name="Id">Id of the <see cref="Exec"/> command.</param>
/// <param name="Code">Exit status, or null where a signal ended it.</param>
/// <param name="Signal">The signal that ended it, or null.</param>
/// <param name="TimedOut">It was killed because its time was over.</param>
/// <param name="Truncated">It wrote more than <see cref="BridgeProtocol.MaxExecOutputBytes"/> to a stream; the rest was thrown away.</param>
public sealed record ExecExited(
    string Id, int? Code = null, int? Signal = null, bool TimedOut = false, bool Truncated = false) : BridgeEvent;

/// <summary>The outcome of a command; the same again for a command that was sent again.</summary>
public sealed record CommandDone(string Id, bool Ok, string? Error = null) : BridgeEvent;
