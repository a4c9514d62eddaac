namespace Ash.Bridge.Frames;

/// <summary>A piece of memory outside the collected heap; filled at <see cref="End"/>, emptied from <see cref="Start"/>.</summary>
internal sealed unsafe class Segment(byte* memory)
{
    internal const int Size = 64 * 1024;

    internal byte* Memory { get; } = memory;

    internal int Start { get; set; }

    internal int End { get; set; }

    internal Segment? Next { get; set; }

    internal Span<byte> Filled => new(Memory + Start, End - Start);

    internal Span<byte> Free => new(Memory + End, Size - End);
}
