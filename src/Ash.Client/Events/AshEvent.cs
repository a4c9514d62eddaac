using System.Text;
using System.Text.Json;

namespace Ash.Client.Events;

/// <summary>One event of a stream. Its data is read only when asked for; it may be kept for as long as wanted.</summary>
public sealed class AshEvent
{
    // A server takes lines of an agent that are nested 256 deep, and puts them into events.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 512 };

    private readonly Lazy<JsonElement> _json;
    private readonly Lazy<EventBody> _body;

    /// <param name="name">Such as <c>text_delta</c>.</param>
    /// <param name="data">UTF-8, JSON as a rule. Not copied.</param>
    /// <param name="id">Where a stream goes on after this event; null where that is unknown.</param>
    public AshEvent(string name, ReadOnlyMemory<byte> data, string? id = null)
    {
        Name = name;
        Data = data;
        Id = id;
        _json = new(ReadJson, LazyThreadSafetyMode.PublicationOnly);
        _body = new(ReadBody, LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>Such as <c>text_delta</c>: see <see cref="EventNames"/>.</summary>
    public string Name { get; }

    /// <summary>The data as it came: UTF-8, JSON as a rule.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>The cursor: a stream that is asked for what comes after it goes on with the next event.</summary>
    public string? Id { get; }

    /// <summary>The data as JSON; of kind <see cref="JsonValueKind.Undefined"/> where it is none.</summary>
    public JsonElement Json => _json.Value;

    /// <summary>The data in the shape that the event's name promises; <see cref="OtherBody"/> where there is no such shape.</summary>
    public EventBody Body => _body.Value;

    /// <summary>The cursor, the name and the length of the data; never the data, which is the user's own.</summary>
    public override string ToString() => $"{Id ?? "-"} {Name} ({Data.Length} bytes)";

    private JsonElement ReadJson()
    {
        try
        {
            return JsonElement.Parse(Data.Span, Deep);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private EventBody ReadBody() => Name switch
    {
        _ when Json.ValueKind != JsonValueKind.Object => OtherBody.Instance,
        EventNames.Message => new AgentMessage(Json),
        EventNames.TextDelta when Text("delta") is { } delta => new TextDelta(delta),
        EventNames.ThinkingDelta when Text("delta") is { } delta => new ThinkingDelta(delta),
        EventNames.ToolUse when Text("name") is { } name => new ToolUse(Text("id") ?? "", name, Element("input")),
        EventNames.ToolResult => new ToolResult(Text("tool_use_id"), Element("content"), Flag("is_error")),
        EventNames.TurnComplete => new TurnComplete((int?)Number("numTurns"), Text("result")),
        EventNames.Error => new TurnError(Text("error") ?? Encoding.UTF8.GetString(Data.Span), Text("code")),
        EventNames.Done => new Done(Uuid("sessionId"), Uuid("turnId"), Text("reason")),
        EventNames.Lifecycle when Text("type") is { } type => new Lifecycle(type, Number("seq"), Uuid("turnId"), Json),
        EventNames.SessionStart => new SessionStart(Uuid("sessionId"), Text("version")),
        _ => OtherBody.Instance,
    };

    private JsonElement Element(string name) => Json.FindMember(name);

    private string? Text(string name) => Element(name).ReadText();

    private bool Flag(string name) => Element(name).ValueKind == JsonValueKind.True;

    private long? Number(string name) =>
        Element(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) ? number : null;

    private Guid? Uuid(string name) => Guid.TryParse(Text(name), out var id) ? id : null;
}
