using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ash.Protocol.Api;

namespace Ash.Cli.Output;

/// <summary>What a command prints: for people, or as JSON for programs; in colour only where a person looks.</summary>
/// <remarks>What goes to a terminal can do nothing there but be read.</remarks>
internal sealed class CliOutput(CliHost host, bool json) : IDisposable
{
    private static readonly JsonSerializerOptions Pretty = Options(indented: true);
    private static readonly JsonSerializerOptions Compact = Options(indented: false);

    private readonly bool _isDumb = host.Variable("TERM") is "dumb";
    private readonly bool _colours = host.Variable("NO_COLOR") is null && host.Variable("TERM") is not "dumb";
    private Waiting? _waiting;

    /// <summary>Whether a program reads the output.</summary>
    public bool IsJson => json;

    /// <summary>Whether a person looks at what is printed.</summary>
    public bool IsTerminal => host.OutIsTerminal;

    public TextWriter Out
    {
        get
        {
            StopWaiting();
            return host.Out;
        }
    }

    public TextWriter Error
    {
        get
        {
            StopWaiting();
            return host.Error;
        }
    }

    /// <summary>A line for people; programs do not get it.</summary>
    public void Say(string line)
    {
        if (!json)
        {
            Out.WriteLine(host.OutIsTerminal ? TerminalText.Clean(line) : line);
        }
    }

    /// <summary>A line about what goes on, besides the result.</summary>
    public void Note(string line)
    {
        if (!json)
        {
            Error.WriteLine(host.ErrorIsTerminal ? Paint(TerminalText.Clean(line), Colour.Dim, isTerminal: true) : line);
        }
    }

    /// <summary>A result: for people behind a label and indented, for programs alone on a line.</summary>
    public void Result<T>(T value, string label = "") => Out.WriteLine(json ? Serialize(value, Compact) : label + Serialize(value, Pretty));

    /// <summary>A result that people get otherwise.</summary>
    public void ResultForPrograms<T>(T value)
    {
        if (json)
        {
            Out.WriteLine(Serialize(value, Compact));
        }
    }

    /// <summary>Items: a table where a person looks, otherwise JSON, as scripts expect it.</summary>
    public void List<T>(IReadOnlyList<T> items, Table<T> table)
    {
        if (json || !host.OutIsTerminal)
        {
            Result(items);
        }
        else if (items.Count == 0)
        {
            Note("There are none.");
        }
        else
        {
            Show(items, table);
        }
    }

    /// <summary>Items as a table, whoever reads it.</summary>
    public void Show<T>(IReadOnlyList<T> items, Table<T> table)
    {
        foreach (var line in table.Lines(items, (text, colour) => Paint(text, colour, host.OutIsTerminal)))
        {
            Out.WriteLine(line);
        }
    }

    public void Failure(Failure failure)
    {
        if (json)
        {
            Error.WriteLine(Serialize(
                new FailureLine(
                    failure.Message,
                    failure.ExitCode,
                    (int?)failure.Refusal?.StatusCode,
                    failure.Refusal?.Code,
                    failure.Refusal?.RequestId),
                Compact));
            return;
        }

        Error.WriteLine(host.ErrorIsTerminal ? Paint(TerminalText.Clean(failure.Message), Colour.Bad, isTerminal: true) : failure.Message);
    }

    /// <summary>Tells on a terminal what is waited for, until something is written or the result is disposed.</summary>
    public IDisposable Wait(string what) =>
        Wait(elapsed => string.Create(CultureInfo.InvariantCulture, $"{what} … {elapsed.TotalSeconds:0} s"));

    /// <summary>As <see cref="Wait(string)"/>, with what is told after so long.</summary>
    public IDisposable Wait(Func<TimeSpan, string> told)
    {
        StopWaiting();

        if (!json && host.ErrorIsTerminal && !_isDumb)
        {
            _waiting = new Waiting(host.Error, elapsed => Paint(told(elapsed), Colour.Dim, isTerminal: true), host.Clock);
        }

        return this;
    }

    /// <summary>Waits for a task, and tells so.</summary>
    public async Task<T> WaitAsync<T>(string what, Task<T> task)
    {
        using (Wait(what))
        {
            return await task;
        }
    }

    /// <summary>Text in a colour, where colours are shown on the standard output.</summary>
    public string Painted(string text, Colour colour) => Paint(text, colour, host.OutIsTerminal);

    /// <summary>Tells nothing any more of what is waited for.</summary>
    public void Dispose() => StopWaiting();

    private void StopWaiting()
    {
        _waiting?.Dispose();
        _waiting = null;
    }

    private string Paint(string text, Colour colour, bool isTerminal) =>
        _colours && isTerminal ? string.Create(CultureInfo.InvariantCulture, $"\e[{(int)colour}m{text}\e[0m") : text;

    private static string Serialize<T>(T value, JsonSerializerOptions options) =>
        EscapeMarks(JsonSerializer.Serialize(value, (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T))));

    /// <summary>The encoder escapes controls, but not the marks that turn text around. Only strings can hold them.</summary>
    private static string EscapeMarks(string text)
    {
        if (!text.Any(TerminalText.TurnsTextAround))
        {
            return text;
        }

        var escaped = new StringBuilder(text.Length);

        foreach (var c in text)
        {
            _ = TerminalText.TurnsTextAround(c) ? escaped.Append("\\u").Append($"{(int)c:x4}") : escaped.Append(c);
        }

        return escaped.ToString();
    }

    private static JsonSerializerOptions Options(bool indented) => new(ApiJson.Default.Options)
    {
        TypeInfoResolver = JsonTypeInfoResolver.Combine(ApiJson.Default, CliJson.Default),
        WriteIndented = indented,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
