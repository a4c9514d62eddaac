using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ash.Protocol.Api;

namespace Ash.Cli.Output;

/// <summary>What a command prints: for people, or as JSON for programs; in colour only where a person looks.</summary>
internal sealed class CliOutput(CliHost host, bool json)
{
    private static readonly JsonSerializerOptions Pretty = Options(indented: true);
    private static readonly JsonSerializerOptions Compact = Options(indented: false);

    private readonly bool _colours = host.Variable("NO_COLOR") is null && host.Variable("TERM") is not "dumb";

    /// <summary>Whether a program reads the output.</summary>
    public bool IsJson => json;

    /// <summary>Whether a person looks at what is printed.</summary>
    public bool IsTerminal => host.OutIsTerminal;

    public TextWriter Out => host.Out;

    public TextWriter Error => host.Error;

    /// <summary>A line for people; programs do not get it.</summary>
    public void Say(string line)
    {
        if (!json)
        {
            host.Out.WriteLine(line);
        }
    }

    /// <summary>A line about what goes on, besides the result.</summary>
    public void Note(string line)
    {
        if (!json)
        {
            host.Error.WriteLine(Paint(line, "2", host.ErrorIsTerminal));
        }
    }

    /// <summary>A result: for people behind a label and indented, for programs alone on a line.</summary>
    public void Result<T>(T value, string label = "") => host.Out.WriteLine(json ? Serialize(value, Compact) : label + Serialize(value, Pretty));

    /// <summary>A result that people get otherwise.</summary>
    public void ResultForPrograms<T>(T value)
    {
        if (json)
        {
            host.Out.WriteLine(Serialize(value, Compact));
        }
    }

    public void Failure(Failure failure)
    {
        if (json)
        {
            host.Error.WriteLine(Serialize(
                new FailureLine(
                    failure.Message,
                    failure.ExitCode,
                    (int?)failure.Refusal?.StatusCode,
                    failure.Refusal?.Code,
                    failure.Refusal?.RequestId),
                Compact));
            return;
        }

        host.Error.WriteLine(Paint(failure.Message, "31", host.ErrorIsTerminal));
    }

    /// <summary>Text that stands back, where colours are shown.</summary>
    public string Dim(string text) => Paint(text, "2", host.OutIsTerminal);

    private string Paint(string text, string colour, bool isTerminal) =>
        _colours && isTerminal ? $"\e[{colour}m{text}\e[0m" : text;

    private static string Serialize<T>(T value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(value, (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T)));

    private static JsonSerializerOptions Options(bool indented) => new(ApiJson.Default.Options)
    {
        TypeInfoResolver = JsonTypeInfoResolver.Combine(ApiJson.Default, CliJson.Default),
        WriteIndented = indented,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
