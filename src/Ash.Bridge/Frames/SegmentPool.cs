using Ash.Bridge.Native;

namespace Ash.Bridge.Frames;

/// <summary>Gives out segments and takes them back. All but a few go back to the system at once. For one thread.</summary>
/// <remarks>
/// A bridge holds nothing most of the time and up to 128 MB at worst; the collected heap would keep what it once grew to,
/// at the expense of the sandbox's memory limit.
/// </remarks>
internal sealed unsafe class SegmentPool
{
    private const int MaxSpare = 4;
    private const int ReadAndWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private readonly Stack<Segment> _spare = new(MaxSpare);

    internal Segment Rent()
    {
        if (_spare.TryPop(out var segment))
        {
            segment.Start = segment.End = 0;
            segment.Next = null;
            return segment;
        }

        var memory = Libc.Map(null, Segment.Size, ReadAndWrite, PrivateAnonymous, Descriptor.None, 0);
        return (nint)memory == -1 ? throw new InsufficientMemoryException() : new Segment(memory);
    }

    internal void Return(Segment segment)
    {
        if (_spare.Count < MaxSpare)
        {
            _spare.Push(segment);
        }
        else
        {
            Libc.Unmap(segment.Memory, Segment.Size);
        }
    }
}
