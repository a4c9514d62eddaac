using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary>Options of one message, and so of its turn.</summary>
internal sealed class MessageOptions
{
    private readonly Option<string?> _model = new("--model") { Description = "The model of this turn.", HelpName = "model" };

    private readonly Option<int?> _maxTurns = new("--max-turns")
    {
        Description = "How often the turn may call the model.", HelpName = "count",
    };

    private readonly Option<double?> _maxBudget = new("--max-budget-usd")
    {
        Description = "What the turn may cost, in US dollars.", HelpName = "dollars",
    };

    private readonly Option<string?> _effort = new("--effort") { Description = "How hard the model works.", HelpName = "effort" };

    private readonly Option<string?> _thinking = new("--thinking")
    {
        Description = "adaptive, disabled, or how many tokens the model may think.", HelpName = "how",
    };

    private readonly Option<string?> _schema = JsonOption.Create("--output-schema", "A JSON Schema: the result is JSON of that form.");

    private readonly Option<string?> _onBusy = new("--on-busy")
    {
        Description = "What becomes of the message while a turn runs (default: enqueue, it waits).", HelpName = "policy",
    };

    public MessageOptions()
    {
        _effort.AcceptOnlyFromAmong("low", "medium", "high", "max");
        _onBusy.AcceptOnlyFromAmong("enqueue", "reject", "interrupt", "steer");
    }

    public void AddTo(Command command)
    {
        command.Add(_model);
        command.Add(_maxTurns);
        command.Add(_maxBudget);
        command.Add(_effort);
        command.Add(_thinking);
        command.Add(_schema);
        command.Add(_onBusy);
    }

    /// <summary>A message without its text, see <see cref="WithText"/>.</summary>
    public SendMessageRequest Read(ParseResult parse) => new()
    {
        Content = default,
        IncludePartialMessages = true,
        Model = parse.GetValue(_model),
        MaxTurns = parse.GetValue(_maxTurns),
        MaxBudgetUsd = parse.GetValue(_maxBudget),
        Effort = parse.GetValue(_effort),
        Thinking = parse.GetValue(_thinking) is { } thinking ? ReadThinking(thinking) : null,
        OutputFormat = JsonOption.Read(parse, _schema) is { } schema ? new OutputFormat("json_schema", schema) : null,
        OnBusy = parse.GetValue(_onBusy),
    };

    public static SendMessageRequest WithText(SendMessageRequest message, string text) =>
        message with { Content = JsonSerializer.SerializeToElement(text, CliJson.Default.String) };

    private static Thinking ReadThinking(string text) => text switch
    {
        "adaptive" or "disabled" => new Thinking(text),
        _ when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var tokens) => new Thinking("enabled", tokens),
        _ => throw new CliException($"--thinking: \"{text}\" is neither adaptive nor disabled nor a number of tokens", ExitCodes.Usage),
    };
}
