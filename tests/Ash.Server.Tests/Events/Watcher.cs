using System.IO.Pipelines;
using System.Text;
using Ash.Server.Events;

namespace Ash.Server.Tests.Events;

/// <summary>A client that reads a stream, as fast or as slowly as a test wants.</summary>
internal sealed class Watcher
{
    private readonly Pipe _pipe = new(new PipeOptions(
        pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024, useSynchronizationContext: false));

    private readonly StringBuilder _text = new();

    public Watcher(
        IEventPages log, EventTail tail, EventStreamRequest request, TimeProvider? clock = null, CancellationTokenSource? leaving = null)
    {
        var cancellationToken = leaving?.Token ?? CancellationToken.None;
        Ended = Task.Run(
            async () =>
            {
                var end = await new EventStream(log, clock ?? new ManualClock())
                    .WriteAsync(tail, request, _pipe.Writer, cancellationToken);
                await _pipe.Writer.CompleteAsync();
                return end;
            },
            CancellationToken.None);
    }

    public Task<EventStreamEnd> Ended { get; }

    public string Text => _text.ToString();

    /// <summary>Reads until the text ends like this.</summary>
    public async Task<string> ReadUntilAsync(string ending)
    {
        while (!Text.EndsWith(ending, StringComparison.Ordinal))
        {
            Assert.True(await ReadSomeAsync(), $"The stream ended without {ending}: {Text}");
        }

        return Text;
    }

    /// <summary>Reads until the row's last frame.</summary>
    public Task<string> ReadUntilIdAsync(long seq) => ReadUntilAsync($"\nid: {seq}\n\n");

    public async Task<string> ReadToEndAsync()
    {
        while (await ReadSomeAsync())
        {
        }

        await Ended;
        return Text;
    }

    public ValueTask LeaveAsync() => _pipe.Reader.CompleteAsync();

    private async Task<bool> ReadSomeAsync()
    {
        var result = await _pipe.Reader.ReadAsync();
        _text.Append(Encoding.UTF8.GetString(result.Buffer));
        _pipe.Reader.AdvanceTo(result.Buffer.End);
        return !result.IsCompleted;
    }
}
