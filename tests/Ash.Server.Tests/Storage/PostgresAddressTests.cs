using Ash.Server.Storage.Postgres;

namespace Ash.Server.Tests.Storage;

public sealed class PostgresAddressTests
{
    [Theory]
    [InlineData("postgres://u:p@h:5433/d", "postgres://u@h:5433/d", "p")]
    [InlineData("postgresql://u:p@h/d", "postgres://u@h:5432/d", "p")]
    [InlineData("POSTGRES://u@h", "postgres://u@h:5432/u", null)]
    [InlineData("postgres://us%40er:p%2F%3A%40%3F@h/d%20b", "postgres://us%40er@h:5432/d%20b", "p/:@?")]
    [InlineData("postgres://u:p@x@h/d", "postgres://u@h:5432/d", "p@x")]
    [InlineData("postgres://u:p@[::1]:6000/d", "postgres://u@[::1]:6000/d", "p")]
    [InlineData("postgres://u@/d?host=/run/postgresql&port=6000", "postgres://u@/d?host=/run/postgresql", null)]
    [InlineData("postgres:///d?host=%2Frun%2Fpostgresql&user=u&password=p", "postgres://u@/d?host=/run/postgresql", "p")]
    [InlineData("postgres://u:p@h/d?sslmode=verify-full&sslrootcert=/ca.pem&channel_binding=require", "postgres://u@h:5432/d", "p")]
    public void Url_IsRead_AndShownWithoutItsPassword(string url, string shown, string? password)
    {
        var address = PostgresDatabases.Read(url);

        Assert.Equal((shown, password), ($"{address}", address.Password));
    }

    [Theory]
    [InlineData("mysql://u:secret@h/d")]
    [InlineData("secret")]
    [InlineData("postgres://")]
    [InlineData("postgres://u:secret@")]
    [InlineData("postgres://:secret@h/d")]
    [InlineData("postgres://u:sec/ret@h/d")]
    [InlineData("postgres://u:1/secret@h/d")]
    [InlineData("postgres://u:1?secret@h/d")]
    [InlineData("postgres://u:sec?ret=secret@h/d")]
    [InlineData("postgres://u:secret@h:0/d")]
    [InlineData("postgres://u:secret@h:65536/d")]
    [InlineData("postgres://u:secret@h:p/d")]
    [InlineData("postgres://u:secret@[::1/d")]
    [InlineData("postgres://u:secret@h,other/d")]
    [InlineData("postgres://u:secret@h/d?sslmode=sometimes")]
    [InlineData("postgres://u:secret@h/d?options=secret")]
    [InlineData("postgres://u:secret@h/d?port=secret")]
    public void Url_IsRefused_AndNothingOfItIsSaid(string url)
    {
        var problem = PostgresAddress.FindProblem(url, out var address);

        Assert.Null(address);
        Assert.NotNull(problem);
        Assert.DoesNotContain("sec", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_AreHandedOn_AndReadersCannotWrite()
    {
        using var database = new PostgresDatabase(PostgresDatabases.Read("postgres://u:p@h/d?sslmode=verify-full&sslrootcert=/ca.pem"));

        Assert.Contains("SSL Mode=VerifyFull", database.ReaderConnectionString, StringComparison.Ordinal);
        Assert.Contains("Root Certificate=/ca.pem", database.ReaderConnectionString, StringComparison.Ordinal);
        Assert.Contains("default_transaction_read_only=on", database.ReaderConnectionString, StringComparison.Ordinal);
    }
}
