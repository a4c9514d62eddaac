using System.Buffers;
using System.Text;
using Ash.Protocol.Bridge;
using Ash.Server.Events;
using BenchmarkDotNet.Attributes;

namespace Ash.Benchmarks;

/// <summary>The steps of an event on the server, from the bridge's bytes to the viewers' bytes; compiled from the server's own sources.</summary>
[MemoryDiagnoser]
public class HotPath
{
    private const int Batch = 100;

    private readonly byte[] _line = Encoding.UTF8.GetBytes(
        $$"""{"type":"stream_event","uuid":"{{Guid.CreateVersion7()}}","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"123456789012345 {{new string('x', 120)}}"} } }""");

    private readonly Guid _turn = Guid.CreateVersion7();
    private readonly EventRow[] _rows = new EventRow[Batch];
    private readonly EventTail _tail = new(Guid.CreateVersion7());
    private ReadOnlySequence<byte> _frame;
    private long _seq;

    [GlobalSetup]
    public void SetUp()
    {
        var frame = new ArrayBufferWriter<byte>();
        FrameFormat.Write(frame, new Protocol.Bridge.CliLine(1, _line.Length) { Number = 12345 }, _line);
        _frame = new ReadOnlySequence<byte>(frame.WrittenMemory);
        _tail.Start(0, idle: false);
    }

    [Benchmark(Description = "frame read: FrameFormat.TryRead")]
    public long ReadFrame()
    {
        var input = _frame;
        return FrameFormat.TryRead(ref input, out BridgeEvent _, out var payload) ? payload.Length : 0;
    }

    [Benchmark(Description = "line inspected: CliLine.TryInspect")]
    public bool InspectLine() => Server.Events.CliLine.TryInspect(_line, out _);

    [Benchmark(Description = "row rendered and shown, alone in its commit: EventTail.Publish")]
    public void PublishOne() => Publish(1);

    [Benchmark(Description = "row rendered and shown, of a hundred in a commit", OperationsPerInvoke = Batch)]
    public void PublishMany() => Publish(Batch);

    private void Publish(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _rows[i] = new EventRow(++_seq, _turn, EventType.Cli, DateTimeOffset.UnixEpoch, _line);
        }

        _tail.Publish(_rows.AsSpan(0, count), idle: false);
    }
}
