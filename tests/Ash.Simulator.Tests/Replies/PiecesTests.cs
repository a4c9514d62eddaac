using Ash.Simulator.Replies;
using CsCheck;

namespace Ash.Simulator.Tests.Replies;

public sealed class PiecesTests
{
    [Fact]
    public void Pieces_AreTheText_AndNoneHalvesACharacter() =>
        Gen.Select(Gen.OneOf("a", "é", "😀", "\n", "\"").Array[0, 30].Select(string.Concat), Gen.Int[0, 8])
            .Sample((text, length) =>
            {
                var pieces = Pieces.Of(text, length).ToList();

                Assert.Equal(text, string.Concat(pieces));
                Assert.NotEmpty(pieces);
                Assert.DoesNotContain(pieces, piece => piece is [.., var last] && char.IsHighSurrogate(last));
                Assert.True(length == 0 || pieces.TrueForAll(piece => piece.Length <= length + 1));
            });
}
