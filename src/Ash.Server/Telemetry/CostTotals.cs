using System.Text.Json;
using Ash.Server.Events;

namespace Ash.Server.Telemetry;

/// <summary>What a session has cost by model. The agent's process says totals, which go on over its restarts; here they become differences.</summary>
/// <remarks>It is an attacker's figure: what is no sensible cost of a turn is not counted, and of models only so many.</remarks>
/// <param name="isNew">Whether the totals begin at nothing. Where they do not, the first ones are only where to count from.</param>
internal sealed class CostTotals(bool isNew)
{
    internal const double MostOfATurn = 10_000;
    private const int MaxModels = 32;
    private static readonly byte[][] LineMembers = CliLine.Names("modelUsage");
    private static readonly byte[][] UsageMembers = CliLine.Names("costUSD");

    private readonly Dictionary<string, double> _totals = new(StringComparer.Ordinal);
    private bool _isKnown = isNew;

    /// <param name="line">A whole <c>result</c>.</param>
    /// <param name="count">Is given each model and what was added to its cost, in US dollars.</param>
    public void Read(ReadOnlySpan<byte> line, Action<string, double> count)
    {
        Span<JsonSlice> found = stackalloc JsonSlice[1];
        if (!Json.TryFind(line, JsonSlice.Whole(line), LineMembers, found) || !found[0].IsObject)
        {
            return;
        }

        var models = found[0];
        var reader = new Utf8JsonReader(models.In(line), Json.Options);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var model = reader.ValueIsEscaped || reader.ValueSpan.Length > 64 ? null : System.Text.Encoding.UTF8.GetString(reader.ValueSpan);
            reader.Read();
            var start = models.Start + (int)reader.TokenStartIndex;
            var kind = reader.TokenType;
            reader.Skip();
            var usage = new JsonSlice(start, models.Start + (int)reader.BytesConsumed - start, kind);
            if (BoundedNames.IsName(model)
                && Json.TryFind(line, usage, UsageMembers, found)
                && found[0].Kind == JsonTokenType.Number
                && Utf8Number(found[0].In(line)) is { } total)
            {
                Take(model!, total, count); // A name is a text.
            }
        }

        _isKnown = true;
    }

    private void Take(string model, double total, Action<string, double> count)
    {
        if (!_totals.TryGetValue(model, out var before) && _totals.Count >= MaxModels)
        {
            return;
        }

        // Less than before: the conversation was begun anew.
        var added = total < before ? total : total - before;
        _totals[model] = total;
        if (_isKnown && added is > 0 and <= MostOfATurn)
        {
            count(model, added);
        }
    }

    private static double? Utf8Number(ReadOnlySpan<byte> text) =>
        System.Buffers.Text.Utf8Parser.TryParse(text, out double value, out var length) && length == text.Length && double.IsFinite(value) && value >= 0
            ? value
            : null;
}
