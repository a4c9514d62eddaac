namespace Ash.Cli.Output;

/// <summary>Tells on a line of its own what is waited for, once that takes longer than a second; leaves no trace.</summary>
internal sealed class Waiting : IDisposable
{
    private const string ClearLine = "\r\e[2K";
    private static readonly TimeSpan Unnoticed = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly TextWriter _terminal;
    private readonly Func<TimeSpan, string> _told;
    private readonly TimeProvider _clock;
    private readonly long _begun;
    private readonly ITimer _timer;
    private string? _shown;
    private bool _over;

    /// <param name="terminal">Where it is told. Whatever else is written there comes after <see cref="Dispose"/>.</param>
    /// <param name="told">What is, after so long.</param>
    /// <param name="clock">Measures how long that is.</param>
    public Waiting(TextWriter terminal, Func<TimeSpan, string> told, TimeProvider clock)
    {
        (_terminal, _told, _clock) = (terminal, told, clock);
        _begun = clock.GetTimestamp();
        _timer = clock.CreateTimer(_ => Tell(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(Unnoticed, Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            _over = true;
            _timer.Dispose();

            if (_shown is not null)
            {
                _terminal.Write(ClearLine);
                _terminal.Flush();
            }
        }
    }

    private void Tell()
    {
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            var line = _told(_clock.GetElapsedTime(_begun));

            if (line != _shown)
            {
                _terminal.Write(ClearLine + line);
                _terminal.Flush();
                _shown = line;
            }

            _timer.Change(Pace, Timeout.InfiniteTimeSpan);
        }
    }
}
