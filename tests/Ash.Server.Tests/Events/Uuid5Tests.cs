using Ash.Server.Events;

namespace Ash.Server.Tests.Events;

public sealed class Uuid5Tests
{
    private static readonly Guid Dns = Guid.Parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");

    [Fact]
    public void Id_IsThatOfTheRfc()
    {
        Assert.Equal(Guid.Parse("2ed6657d-e927-568b-95e1-2665a8aea6a2"), Uuid5.Create(Dns, "www.example.com"u8));
        Assert.Equal(Guid.Parse("886313e1-3b8a-5372-9b90-0c9aee199e5d"), Uuid5.Create(Dns, "python.org"u8));
    }

    [Fact]
    public void LongName_HasAnIdToo() =>
        Assert.Equal(5, Uuid5.Create(Dns, new byte[100_000]).Version);

    [Fact]
    public void Rows_HaveDifferentIds_AndTheSameOnesAgain()
    {
        var ids = new HashSet<Guid>();
        for (var seq = 1; seq <= 100; seq++)
        {
            for (var index = 0; index < 20; index++)
            {
                Assert.True(ids.Add(Uuid5.OfRow(Rows.Session, seq, index)));
                Assert.False(ids.Add(Uuid5.OfRow(Rows.Session, seq, index)));
            }
        }
    }
}
