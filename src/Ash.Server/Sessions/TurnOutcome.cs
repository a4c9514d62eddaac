using System.Text;
using System.Text.Json;
using Ash.Server.Events;

namespace Ash.Server.Sessions;

/// <summary>How a turn ended, as its <c>turn.completed</c> says it.</summary>
internal sealed record TurnOutcome(TurnReason Reason)
{
    /// <summary>The code of a turn whose session has lost the credential that its model calls were to be made with.</summary>
    public const string CredentialUnavailable = "credential_unavailable";

    /// <summary>What the broker says in its own name and the CLI repeats.</summary>
    private static readonly string[] BrokersOwn = ["model_not_configured", CredentialUnavailable];

    /// <summary>Says more than the reason, where there is more to say.</summary>
    public string? Code { get; init; }

    /// <summary>What happened to the sandbox, for <see cref="TurnReason.SandboxLost"/>.</summary>
    public string? Cause { get; init; }

    /// <summary>Whether sending the same message again may succeed.</summary>
    public bool Retryable { get; init; }

    /// <summary>A sentence for people, where the turn failed.</summary>
    public string? Error { get; init; }

    /// <summary>The answer's text.</summary>
    public string? Result { get; init; }

    /// <summary>JSON, as the CLI reported it.</summary>
    public string? Usage { get; init; }

    public static TurnOutcome Stopped(TurnReason reason) => new(reason)
    {
        Error = reason switch
        {
            TurnReason.Interrupted => "The turn was interrupted.",
            TurnReason.Cancelled => "The turn was cancelled before it began.",
            TurnReason.Timeout => "The turn took longer than it may.",
            _ => null,
        },
    };

    public static TurnOutcome Lost(string cause, string error) => new(TurnReason.SandboxLost)
    {
        Cause = cause,
        Code = cause,
        Retryable = true,
        Error = error,
    };

    /// <summary>The CLI took the message, says that it is done with it, and gave no result.</summary>
    public static TurnOutcome Unanswered(Turn turn) => turn.StopReason is { } stopped
        ? Stopped(stopped)
        : new TurnOutcome(TurnReason.AgentError) { Error = "The agent dropped the message without an answer.", Retryable = true };

    /// <summary>Reads the CLI's <c>result</c> line; <c>subtype: success</c> with <c>is_error</c> is a failed turn all the same.</summary>
    public static TurnOutcome FromResult(Turn turn, in CliLineInfo info, ReadOnlySpan<byte> line)
    {
        var text = Json.ReadWholeText(line, info.Result);
        var usage = info.Usage.HasValue ? Encoding.UTF8.GetString(info.Usage.In(line)) : null;
        var outcome = Classify(turn, info, text);
        return outcome with { Usage = usage, Result = text ?? outcome.Error };
    }

    /// <summary>The payload of <c>turn.completed</c>.</summary>
    public byte[] ToPayload()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("reason"u8, ReasonName);
            WriteOptional(writer, "code"u8, Code);
            WriteOptional(writer, "cause"u8, Cause);
            writer.WriteBoolean("retryable"u8, Retryable);
            WriteOptional(writer, "error"u8, Error);
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    public string ReasonName => JsonNamingPolicy.SnakeCaseLower.ConvertName(Reason.ToString());

    private static TurnOutcome Classify(Turn turn, in CliLineInfo info, string? text)
    {
        if (turn.StopReason is { } stopped && info.IsError)
        {
            return Stopped(stopped);
        }

        return info.Subtype switch
        {
            "success" when !info.IsError => new TurnOutcome(TurnReason.Completed),
            "success" => ModelError(turn, info, text),
            "error_max_turns" => new TurnOutcome(TurnReason.MaxTurns) { Error = "The turn reached its limit of model calls." },
            "error_max_budget_usd" => new TurnOutcome(TurnReason.Budget) { Error = "The turn reached its budget." },
            "error_max_structured_output_retries" => new TurnOutcome(TurnReason.OutputInvalid)
            {
                Error = "The model did not produce output of the asked form.",
                Retryable = true,
            },
            _ when info.TerminalReason is "aborted_streaming" or "aborted_tools" => Stopped(TurnReason.Interrupted),
            _ => new TurnOutcome(TurnReason.AgentError) { Error = "The agent ended the turn with an error.", Retryable = true },
        };
    }

    private static TurnOutcome ModelError(Turn turn, in CliLineInfo info, string? text)
    {
        var code = Array.Find(BrokersOwn, own => text?.Contains(own, StringComparison.Ordinal) == true) is { } brokers ? brokers
            : (turn.ModelError is null or "unknown") && info.ApiErrorType == "invalid_request_error" ? "invalid_request"
            : turn.ModelError ?? info.ApiErrorType ?? "unknown";
        return new TurnOutcome(TurnReason.ModelError)
        {
            Code = code,
            Error = text is { Length: > 0 } ? text : "The model call failed.",
            Retryable = code is "rate_limit" or "overloaded" or "server_error" or "unknown",
        };
    }

    private static void WriteOptional(Utf8JsonWriter writer, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }
}
