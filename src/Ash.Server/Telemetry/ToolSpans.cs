using System.Diagnostics;
using System.Text.Json;
using Ash.Server.Events;

namespace Ash.Server.Telemetry;

/// <summary>The spans of a turn's tools: from the model's request for one to its result. Neither input nor output is taken.</summary>
/// <remarks>An agent decides how many there are, what they are called and whether they end; so all of that is bounded.</remarks>
internal sealed class ToolSpans(ActivityContext turn, ServerTraces traces)
{
    internal const int MaxSpans = 1000;
    private static readonly byte[][] LineMembers = CliLine.Names("message");
    private static readonly byte[][] BlockMembers = CliLine.Names("type", "id", "name", "tool_use_id", "is_error");

    private readonly Dictionary<string, Activity> _open = new(StringComparer.Ordinal);
    private int _begun;

    /// <param name="line">Of an <c>assistant</c> or a <c>user</c>, whole.</param>
    public void Read(ReadOnlySpan<byte> line)
    {
        Span<JsonSlice> message = stackalloc JsonSlice[1];
        if (!Json.TryFind(line, JsonSlice.Whole(line), LineMembers, message))
        {
            return;
        }

        Span<JsonSlice> found = stackalloc JsonSlice[5];
        foreach (var block in CliContent.BlocksOf(line, message[0]))
        {
            if (!block.IsObject || !Json.TryFind(line, block, BlockMembers, found))
            {
                continue;
            }

            if (Json.TextEquals(line, found[0], "tool_use"u8))
            {
                Begin(Json.ReadText(line, found[1]), Json.ReadText(line, found[2]));
            }
            else if (Json.TextEquals(line, found[0], "tool_result"u8))
            {
                End(Json.ReadText(line, found[3]), hasFailed: found[4].Kind == JsonTokenType.True);
            }
        }
    }

    /// <summary>The turn is over, and with it whatever still runs.</summary>
    public void End()
    {
        foreach (var span in _open.Values)
        {
            traces.End(span);
        }

        _open.Clear();
    }

    private void Begin(string? id, string? name)
    {
        if (!BoundedNames.IsName(id) || !BoundedNames.IsName(name) || _open.ContainsKey(id!) || _begun >= MaxSpans)
        {
            return;
        }

        _begun++;
        if (traces.Begin($"execute_tool {name}", ActivityKind.Internal, turn) is { } span)
        {
            span.SetTag("gen_ai.operation.name", "execute_tool");
            span.SetTag("gen_ai.tool.name", name);
            span.SetTag("gen_ai.tool.call.id", id);
            span.SetTag("ash.tool.name", name);
            span.SetTag("ash.tool.id", id);
            _open[id!] = span; // A name is a text.
        }
    }

    private void End(string? id, bool hasFailed)
    {
        if (id is null || !_open.Remove(id, out var span))
        {
            return;
        }

        if (hasFailed)
        {
            span.SetTag("error.type", "tool_error");
            span.SetStatus(ActivityStatusCode.Error);
        }

        traces.End(span);
    }
}
