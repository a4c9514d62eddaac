using System.Text;
using Ash.Bridge.Frames;
using Ash.Bridge.Processes;
using CsCheck;

namespace Ash.Bridge.Tests.Processes;

public sealed class LineSplitterTests
{
    private const int Limit = 10;

    [Fact]
    public void Lines_AreTheSame_HoweverTheStreamIsCut() =>
        Gen.Select(Gen.Char["ab\n"].Array[0, 80], Gen.Int[1, 9].Array[1, 20]).Sample((characters, cuts) =>
        {
            var bytes = Encoding.ASCII.GetBytes(characters);
            var sink = new Sink();
            var splitter = new LineSplitter(new SegmentPool(), Limit, sink);

            var rest = bytes.AsSpan();
            for (var i = 0; !rest.IsEmpty; i++)
            {
                var part = Math.Min(cuts[i % cuts.Length], rest.Length);
                splitter.Add(rest[..part]);
                rest = rest[part..];
            }

            splitter.End();
            Assert.Equal(Expected(new string(characters)), sink.Lines);
        });

    private static List<string> Expected(string text)
    {
        var lines = text.Split('\n').ToList();
        if (lines[^1].Length == 0)
        {
            lines.RemoveAt(lines.Count - 1);
        }

        return [.. lines.Select(line => line.Length <= Limit ? line : $"refused {line.Length}")];
    }

    private sealed class Sink : ILineSink
    {
        internal List<string> Lines { get; } = [];

        public void OnLine(ReadOnlySpan<byte> line) => Lines.Add(Encoding.ASCII.GetString(line));

        public void OnLine(ByteQueue line)
        {
            Lines.Add(Encoding.ASCII.GetString(line.Front));
            line.Skip(line.Length);
        }

        public void OnRefused(long length) => Lines.Add($"refused {length}");
    }
}
