using System.Globalization;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Http;
using Ash.Server.Telemetry;

namespace Ash.Server.Sessions;

/// <summary>What a message asks for that the CLI can only be started with, and what else is kept with its turn.</summary>
[GenerateSerializer, Immutable]
internal sealed record TurnOptions
{
    private const int MaxSchemaLength = 100_000;
    private const double SmallestBudget = 1e-10;
    private static readonly string[] Efforts = ["low", "medium", "high", "max"];

    [Id(0)]
    public int? MaxTurns { get; init; }

    [Id(1)]
    public double? MaxBudgetUsd { get; init; }

    [Id(2)]
    public string? Effort { get; init; }

    /// <summary>The CLI's own words for it: an option with its value.</summary>
    [Id(3)]
    public string? Thinking { get; init; }

    /// <summary>A JSON Schema.</summary>
    [Id(4)]
    public string? OutputSchema { get; init; }

    /// <summary>Of its client, where that is kept: for whoever looks at the turn from outside. The CLI hears nothing of it.</summary>
    [Id(5)]
    public TurnTrace? Trace { get; init; }

    private static TurnOptions None { get; } = new();

    /// <summary>Reads them from a message.</summary>
    /// <param name="request">The message.</param>
    /// <param name="trace">Where its turn belongs; null where nobody wants to know.</param>
    /// <param name="problem">What is wrong with them; null where nothing is.</param>
    /// <returns>Null where there are none.</returns>
    public static TurnOptions? Read(SendMessageRequest request, TurnTrace? trace, out Problem? problem)
    {
        problem = Refusal(request) is { } reason ? Problems.Invalid(reason) : null;
        if (problem is not null)
        {
            return null;
        }

        var options = new TurnOptions
        {
            MaxTurns = request.MaxTurns,
            MaxBudgetUsd = request.MaxBudgetUsd,
            Effort = request.Effort,
            Thinking = request.Thinking is { } thinking ? WordsFor(thinking) : null,
            OutputSchema = request.OutputFormat is { } format ? JsonSerializer.Serialize(format.Schema) : null,
            Trace = trace,
        };
        return options == None ? null : options;
    }

    public static TurnOptions? Parse(string? json) => json is null ? null : JsonSerializer.Deserialize<TurnOptions>(json);

    public string ToJson() => JsonSerializer.Serialize(this);

    /// <summary>The CLI's start flags for them.</summary>
    public IEnumerable<string> Flags()
    {
        if (MaxTurns is { } turns)
        {
            yield return SessionOptions.MaxTurnsFlag(turns);
        }

        if (MaxBudgetUsd is { } budget)
        {
            // The CLI does not start with a budget of nothing; with one that no call stays within it says what the matter is.
            yield return string.Create(CultureInfo.InvariantCulture, $"--max-budget-usd={Math.Max(budget, SmallestBudget):0.##########}");
        }

        if (Effort is not null)
        {
            yield return $"--effort={Effort}";
        }

        if (Thinking is not null)
        {
            yield return Thinking;
        }

        if (OutputSchema is not null)
        {
            yield return $"--json-schema={OutputSchema}";
        }
    }

    private static string? Refusal(SendMessageRequest request) =>
        request.MaxTurns is { } turns && SessionOptions.RefusalOfMaxTurns(turns) is { } few ? few
        : request.MaxBudgetUsd is < 0 or double.NaN or double.PositiveInfinity ? "maxBudgetUsd must be >= 0"
        : request.Effort is { } effort && !Efforts.Contains(effort) ? $"effort must be one of {string.Join(", ", Efforts)}"
        : request.Thinking is { } thinking && Refusal(thinking) is { } reason ? reason
        : request.OutputFormat is { } format ? Refusal(format)
        : null;

    private static string? Refusal(Thinking thinking) => thinking switch
    {
        { Type: "adaptive" or "disabled", BudgetTokens: null } => null,
        { Type: "adaptive" or "disabled" } => "thinking.budgetTokens goes with type enabled only",
        { Type: "enabled", BudgetTokens: < 1024 } => "thinking.budgetTokens must be >= 1024",
        { Type: "enabled" } => null,
        _ => "thinking.type must be one of adaptive, enabled, disabled",
    };

    private static string? Refusal(OutputFormat format) =>
        format.Type != "json_schema" ? "outputFormat.type must be json_schema"
        : format.Schema.ValueKind != JsonValueKind.Object ? "outputFormat.schema must be object"
        : format.Schema.GetRawText().Length > MaxSchemaLength ? $"outputFormat.schema must be at most {MaxSchemaLength} characters"
        : null;

    private static string WordsFor(Thinking thinking) => thinking switch
    {
        { Type: "disabled" } => "--thinking=disabled",
        { BudgetTokens: { } budget } => string.Create(CultureInfo.InvariantCulture, $"--max-thinking-tokens={budget}"),
        _ => "--thinking=adaptive",
    };
}
