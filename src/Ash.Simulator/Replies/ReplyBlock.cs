using System.Text.Json;

namespace Ash.Simulator.Replies;

/// <summary>A content block of a reply: how it stands in a message, and how it opens and grows in a stream.</summary>
internal abstract record ReplyBlock
{
    /// <summary>What the deltas add up to; null for a block that comes whole.</summary>
    public abstract string? Growing { get; }

    /// <summary>The block as an object of its own, complete or as <c>content_block_start</c> shows it.</summary>
    public abstract void Write(Utf8JsonWriter json, bool complete);

    /// <summary>The properties of a delta.</summary>
    public virtual void WriteDelta(Utf8JsonWriter json, string piece)
    {
    }

    protected static void WriteObject(Utf8JsonWriter json, string type, Action write)
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        write();
        json.WriteEndObject();
    }
}

internal sealed record TextBlock(string Text) : ReplyBlock
{
    public override string Growing => Text;

    public override void Write(Utf8JsonWriter json, bool complete) =>
        WriteObject(json, "text", () => json.WriteString("text", complete ? Text : ""));

    public override void WriteDelta(Utf8JsonWriter json, string piece)
    {
        json.WriteString("type", "text_delta");
        json.WriteString("text", piece);
    }
}

internal sealed record ThinkingBlock(string Thinking) : ReplyBlock
{
    /// <summary>Nobody checks it, but clients send it back.</summary>
    public const string Signature = "c2ltdWxhdGVk";

    public override string Growing => Thinking;

    public override void Write(Utf8JsonWriter json, bool complete) => WriteObject(json, "thinking", () =>
    {
        json.WriteString("thinking", complete ? Thinking : "");
        json.WriteString("signature", complete ? Signature : "");
    });

    public override void WriteDelta(Utf8JsonWriter json, string piece)
    {
        json.WriteString("type", "thinking_delta");
        json.WriteString("thinking", piece);
    }
}

internal sealed record ToolUseBlock(string Id, string Name, string Input) : ReplyBlock
{
    public override string Growing => Input;

    public override void Write(Utf8JsonWriter json, bool complete) => WriteObject(json, "tool_use", () =>
    {
        json.WriteString("id", Id);
        json.WriteString("name", Name);
        json.WritePropertyName("input");
        json.WriteRawValue(complete ? Input : "{}");
    });

    public override void WriteDelta(Utf8JsonWriter json, string piece)
    {
        json.WriteString("type", "input_json_delta");
        json.WriteString("partial_json", piece);
    }
}

/// <summary>A block of a kind that is sent as the script has it.</summary>
internal sealed record OtherBlock(JsonElement Json) : ReplyBlock
{
    public override string? Growing => null;

    public override void Write(Utf8JsonWriter json, bool complete) => Json.WriteTo(json);
}
