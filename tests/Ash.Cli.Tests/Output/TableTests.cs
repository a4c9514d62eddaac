using Ash.Cli.Output;

namespace Ash.Cli.Tests.Output;

public sealed class TableTests
{
    private static readonly Table<(string Name, int Count)> Table = new(
        new("NAME", item => item.Name, Colour: _ => Colour.Good),
        new("COUNT", item => $"{item.Count}", Right: true),
        new("", _ => "last"));

    [Fact]
    public void Columns_AreAsWideAsTheirWidestCell_AlsoInWideLetters()
    {
        var lines = Table.Lines([("a", 1), ("日本", 22_222_222)], (text, _) => text);

        Assert.Equal(["NAME     COUNT  ", "a            1  last", "日本  22222222  last"], lines);
    }

    [Fact]
    public void Colours_DoNotMoveColumns_AndTextCannotMakeAny()
    {
        var lines = Table.Lines([("a\e[2J\n", 1)], (text, colour) => $"<{(int)colour}:{text}>");

        Assert.Equal("<32:a[2J>      1  last", lines.Last());
    }
}
