using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Ash.Simulator.Scripts;

/// <summary>A regular expression of a script; a dot also matches a line end.</summary>
[JsonConverter(typeof(Converter))]
public sealed class ScriptPattern
{
    // Scripts come with prompts, and a pattern must not be able to hold a thread for ever.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    private readonly string _source;
    private readonly Regex _anywhere;
    private readonly Lazy<Regex> _whole;

    /// <exception cref="ScriptException">The pattern is not a regular expression.</exception>
    public ScriptPattern(string pattern)
    {
        try
        {
            _source = pattern;
            _anywhere = new Regex(pattern, RegexOptions.Singleline, Limit);
            _whole = new(() => new Regex($"^(?:{pattern})$", RegexOptions.Singleline, Limit));
        }
        catch (ArgumentException invalid)
        {
            throw new ScriptException($"'{pattern}' is not a regular expression: {invalid.Message}", invalid);
        }
    }

    public static implicit operator ScriptPattern(string pattern) => new(pattern);

    public static ScriptPattern FromString(string pattern) => new(pattern);

    public override string ToString() => _source;

    internal bool IsIn(string? text) => Matches(_anywhere, text);

    internal bool IsWhole(string? text) => Matches(_whole.Value, text);

    private static bool Matches(Regex pattern, string? text)
    {
        try
        {
            return pattern.IsMatch(text ?? "");
        }
        catch (RegexMatchTimeoutException slow)
        {
            throw new ScriptException($"'{pattern}' took too long to match.", slow);
        }
    }

    internal sealed class Converter : JsonConverter<ScriptPattern>
    {
        public override ScriptPattern Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String
                ? new(reader.GetString() ?? "")
                : throw new JsonException("A pattern is a string.");

        public override void Write(Utf8JsonWriter writer, ScriptPattern value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}
