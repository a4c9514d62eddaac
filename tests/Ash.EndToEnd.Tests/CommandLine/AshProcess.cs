using System.Diagnostics;
using System.Text;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.CommandLine;

/// <summary>The published <c>ash</c> while it runs.</summary>
internal sealed class AshProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly Process _process;
    private readonly StringBuilder _out = new();
    private readonly Task _reading;
    private readonly Task<string> _error;
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public AshProcess(ProcessStartInfo start)
    {
        _process = Process.Start(start)!; // A program, not a document: there is a process.
        _reading = ReadAsync();
        _error = _process.StandardError.ReadToEndAsync();
    }

    public int Pid => _process.Id;

    /// <summary>What Ctrl-C sends.</summary>
    public void Interrupt() => ProcessSignals.Send(Pid, ProcessSignals.Interrupt);

    public void Terminate() => ProcessSignals.Send(Pid, ProcessSignals.Terminate);

    /// <summary>Presses keys, where it runs at a terminal.</summary>
    public async Task TypeAsync(string keys)
    {
        await _process.StandardInput.WriteAsync(keys);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits until this text is on the standard output, while the process still runs.</summary>
    public async Task WaitForOutputAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Task news;
            lock (_out)
            {
                var shown = _out.ToString();
                if (shown.Contains(text, StringComparison.Ordinal))
                {
                    return;
                }

                Assert.False(_reading.IsCompleted, $"The command ended without \"{text}\": {shown}");
                news = _news.Task;
            }

            await news.WaitAsync(patience.Token);
        }
    }

    public async Task<AshRun> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        await _reading;
        return new AshRun(_process.ExitCode, _out.ToString(), await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        var piece = new char[4096];
        int count;
        do
        {
            count = await _process.StandardOutput.ReadAsync(piece);
            lock (_out)
            {
                _out.Append(piece, 0, count);
                _news.SetResult();
                _news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
        while (count > 0);
    }
}
