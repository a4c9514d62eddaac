using Ash.Bridge.Frames;

namespace Ash.Bridge.Processes;

/// <summary>Takes lines, without their line ends.</summary>
internal interface ILineSink
{
    void OnLine(ReadOnlySpan<byte> line);

    /// <summary>A line that came in pieces. Must be emptied.</summary>
    void OnLine(ByteQueue line);

    /// <summary>A line was longer than allowed and is lost.</summary>
    void OnRefused(long length);
}
