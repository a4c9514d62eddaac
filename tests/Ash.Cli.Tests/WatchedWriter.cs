using System.Text;

namespace Ash.Cli.Tests;

/// <summary>Does something once a text has been written, then the next thing once the next has.</summary>
internal sealed class WatchedWriter(params (string Awaited, Action Act)[] steps) : StringWriter
{
    private int _done;

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value)
    {
        base.Write(value);
        Look();
    }

    public override void Write(string? value)
    {
        base.Write(value);
        Look();
    }

    public override void WriteLine(string? value)
    {
        base.WriteLine(value);
        Look();
    }

    public override async Task WriteLineAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
    {
        await base.WriteLineAsync(buffer, cancellationToken);
        Look();
    }

    public override async Task WriteAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
    {
        await base.WriteAsync(buffer, cancellationToken);
        Look();
    }

    private void Look()
    {
        if (_done < steps.Length && GetStringBuilder().ToString().Contains(steps[_done].Awaited, StringComparison.Ordinal))
        {
            steps[_done++].Act();
        }
    }
}
