using System.Text.Json;
using Ash.Simulator.Conversations;
using Ash.Simulator.Scripts;

namespace Ash.Simulator.Replies;

/// <summary>A message of the model, made from a step and the request it answers.</summary>
internal sealed class ReplyMessage
{
    private readonly string _id = ReplyId.Message();
    private readonly string _model;
    private readonly string _stopReason;
    private readonly JsonElement? _stopDetails;
    private readonly int _inputTokens;
    private readonly int _outputTokens;
    private readonly Dictionary<string, JsonElement> _usage;

    public ReplyMessage(ScriptStep step, ModelRequest request)
    {
        Blocks = [.. BlocksOf(step, new(request))];

        if (Blocks.Count == 0)
        {
            var answer = DefaultAnswer.For(request.Conversation);
            Blocks = [new TextBlock(answer)];
            PieceLength = (answer.Length + DefaultAnswer.Pieces - 1) / DefaultAnswer.Pieces;
        }

        if (step.Chunk > 0)
        {
            PieceLength = step.Chunk;
        }

        _model = step.Model ?? request.Model;
        _stopReason = step.StopReason ?? (Blocks.Any(block => block is ToolUseBlock) ? "tool_use" : "end_turn");
        _stopDetails = step.StopDetails;
        _inputTokens = request.InputTokens;
        _outputTokens = ModelRequest.TokensOf(Blocks.Sum(block => block.Growing?.Length ?? 0));
        _usage = step.Usage ?? [];
    }

    public IReadOnlyList<ReplyBlock> Blocks { get; }

    /// <summary>Characters in a piece of a stream; 0 for blocks in one piece.</summary>
    public int PieceLength { get; }

    /// <summary>The whole message.</summary>
    public void Write(Utf8JsonWriter json) => Write(json, complete: true);

    /// <summary>The message as <c>message_start</c> shows it: no content and no end yet.</summary>
    public void WriteStart(Utf8JsonWriter json) => Write(json, complete: false);

    /// <summary>The properties of the event that says why and at what cost the message ended.</summary>
    public void WriteDelta(Utf8JsonWriter json)
    {
        json.WriteStartObject("delta");
        WriteStop(json, complete: true);
        json.WriteEndObject();
        WriteUsage(json, complete: true);
    }

    private static IEnumerable<ReplyBlock> BlocksOf(ScriptStep step, Placeholders placeholders)
    {
        foreach (var thinking in step.Thinking ?? [])
        {
            yield return new ThinkingBlock(placeholders.Fill(thinking));
        }

        foreach (var text in step.Text ?? [])
        {
            yield return new TextBlock(placeholders.Fill(text));
        }

        foreach (var tool in step.Tool ?? [])
        {
            yield return new ToolUseBlock(
                tool.Id ?? ReplyId.ToolUse(),
                placeholders.Fill(tool.Name),
                tool.Input is { } input ? placeholders.Fill(input).GetRawText() : "{}");
        }

        foreach (var block in step.Blocks ?? [])
        {
            yield return BlockOf(placeholders.Fill(block));
        }
    }

    private static ReplyBlock BlockOf(JsonElement block) => MessageJson.Text(block, "type") switch
    {
        "text" => new TextBlock(MessageJson.Text(block, "text") ?? ""),
        "thinking" => new ThinkingBlock(MessageJson.Text(block, "thinking") ?? ""),
        "tool_use" => new ToolUseBlock(
            MessageJson.Text(block, "id") ?? ReplyId.ToolUse(),
            MessageJson.Text(block, "name") ?? "",
            block.TryGetProperty("input", out var input) ? input.GetRawText() : "{}"),
        _ => new OtherBlock(block),
    };

    private void Write(Utf8JsonWriter json, bool complete)
    {
        json.WriteStartObject();
        json.WriteString("id", _id);
        json.WriteString("type", "message");
        json.WriteString("role", "assistant");
        json.WriteString("model", _model);
        json.WriteStartArray("content");

        foreach (var block in complete ? Blocks : [])
        {
            block.Write(json, complete: true);
        }

        json.WriteEndArray();
        WriteStop(json, complete);
        WriteUsage(json, complete);
        json.WriteEndObject();
    }

    private void WriteStop(Utf8JsonWriter json, bool complete)
    {
        json.WriteString("stop_reason", complete ? _stopReason : null);
        json.WriteNull("stop_sequence");

        if (complete && _stopDetails is { } details)
        {
            json.WritePropertyName("stop_details");
            details.WriteTo(json);
        }
    }

    private void WriteUsage(Utf8JsonWriter json, bool complete)
    {
        json.WriteStartObject("usage");
        WriteCount(json, "input_tokens", _inputTokens);
        WriteCount(json, "cache_creation_input_tokens", 0);
        WriteCount(json, "cache_read_input_tokens", 0);

        if (complete)
        {
            WriteCount(json, "output_tokens", _outputTokens);
        }
        else
        {
            json.WriteNumber("output_tokens", 1);
        }

        foreach (var (name, value) in _usage.Where(field => !IsCount(field.Key)))
        {
            json.WritePropertyName(name);
            value.WriteTo(json);
        }

        if (!_usage.ContainsKey("service_tier"))
        {
            json.WriteString("service_tier", "standard");
        }

        json.WriteEndObject();
    }

    private void WriteCount(Utf8JsonWriter json, string name, int count)
    {
        json.WritePropertyName(name);

        if (_usage.TryGetValue(name, out var scripted))
        {
            scripted.WriteTo(json);
        }
        else
        {
            json.WriteNumberValue(count);
        }
    }

    private static bool IsCount(string name) =>
        name is "input_tokens" or "cache_creation_input_tokens" or "cache_read_input_tokens" or "output_tokens";
}
