using System.Runtime.InteropServices;

namespace Ash.Cli;

/// <summary>Ctrl-C, and what asks the process to end.</summary>
internal sealed class Interrupts : IDisposable
{
    // Long enough for a turn to be interrupted.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _end = new();
    private readonly List<IDisposable> _owned = [];
    private Action? _taker;

    /// <summary>Cancelled by the first Ctrl-C that nobody has taken, and by SIGTERM.</summary>
    public CancellationToken Token => _end.Token;

    /// <summary>Those of this process. A command that does not end within ten seconds is ended; at the second Ctrl-C it is at once.</summary>
    public static Interrupts OfThisProcess()
    {
        var interrupts = new Interrupts();
        interrupts._owned.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = interrupts.Press() || interrupts.EndSoon()));
        interrupts._owned.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = interrupts.EndSoon()));
        return interrupts;
    }

    /// <summary>Until the result is disposed, Ctrl-C does this instead of ending the command.</summary>
    public IDisposable Take(Action act)
    {
        Volatile.Write(ref _taker, act);
        return new Taking(this);
    }

    /// <summary>What Ctrl-C does first: false where nobody has taken it.</summary>
    public bool Press()
    {
        var taker = Volatile.Read(ref _taker);
        taker?.Invoke();
        return taker is not null;
    }

    public void Dispose()
    {
        foreach (var owned in _owned)
        {
            owned.Dispose();
        }

        _end.Dispose();
    }

    /// <summary>False where that was asked for already: then the signal does what signals do.</summary>
    private bool EndSoon()
    {
        if (_end.IsCancellationRequested)
        {
            return false;
        }

        _owned.Add(new Timer(_ => Environment.Exit(ExitCodes.Cancelled), state: null, Patience, Timeout.InfiniteTimeSpan));
        _end.Cancel();
        return true;
    }

    private sealed class Taking(Interrupts interrupts) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref interrupts._taker, null);
    }
}
