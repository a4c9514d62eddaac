using Ash.Server.Credentials;
using Ash.Server.Storage;
using Ash.Server.Tests.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ash.Server.Tests.Credentials;

/// <summary>How secrets lie in the store, and how the key that seals them is changed.</summary>
public sealed class CredentialStoreTests
{
    private const string Secret = "sk-canary-4711-canary";
    private const string First = "first-key-of-the-operator";
    private const string Second = "second-key-of-the-operator";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Secret_OpensForItsTenant_AndForNobodyElse()
    {
        await using var store = new TestStore();
        var credentials = await OpenAsync(store);

        var made = await credentials.CreateAsync("t", "custom", new Secret(Secret), "");

        Assert.Equal(Secret, (await credentials.OpenAsync("t", made.Id, Cancelled))?.Secret.Reveal());
        Assert.Null(await credentials.OpenAsync("u", made.Id, Cancelled));
        Assert.Empty(Access.Canary.FilesWith(store.Folder, Secret));
    }

    [Fact]
    public async Task EqualSecrets_AreSealedDifferently()
    {
        await using var store = new TestStore();
        var credentials = await OpenAsync(store);
        await credentials.CreateAsync("t", "custom", new Secret(Secret), "");
        await credentials.CreateAsync("t", "custom", new Secret(Secret), "");

        var rows = await RowsAsync(store);

        Assert.Equal(2, rows.Select(row => Convert.ToHexString(row.Nonce)).Distinct().Count());
        Assert.Equal(2, rows.Select(row => Convert.ToHexString(row.Sealed)).Distinct().Count());
        Assert.Single(rows.Select(row => row.KeyId).Distinct());
    }

    [Theory]
    [InlineData("UPDATE credentials SET tenant_id = 'u' WHERE label = 'mine'")]
    [InlineData("UPDATE credentials SET type = 'anthropic' WHERE label = 'mine'")]
    [InlineData("UPDATE credentials SET nonce = (SELECT nonce FROM credentials WHERE label = 'other'), sealed = (SELECT sealed FROM credentials WHERE label = 'other') WHERE label = 'mine'")]
    [InlineData("UPDATE credentials SET sealed = zeroblob(8) WHERE label = 'mine'")]
    [InlineData("UPDATE credentials SET nonce = zeroblob(12) WHERE label = 'mine'")]
    public async Task RowThatWasChanged_DoesNotOpen(string sql)
    {
        await using var store = new TestStore();
        var credentials = await OpenAsync(store);
        var mine = await credentials.CreateAsync("t", "custom", new Secret(Secret), "mine");
        await credentials.CreateAsync("u", "custom", new Secret("sk-of-another-tenant"), "other");

        await store.Writer.WriteAsync(Durability.Process, transaction => transaction.Db.Database.ExecuteSqlRaw(sql));

        Assert.Null(await credentials.OpenAsync("t", mine.Id, Cancelled));
        Assert.Null(await credentials.OpenAsync("u", mine.Id, Cancelled));
    }

    [Fact]
    public async Task FileOfTheKey_IsMadeOnce_AndForItsOwnerAlone()
    {
        await using var store = new TestStore();
        await OpenAsync(store);
        var before = File.Exists(store.Data.CredentialKey);
        var made = await (await OpenAsync(store)).CreateAsync("t", "custom", new Secret(Secret), "");

        var again = await (await OpenAsync(store)).OpenAsync("t", made.Id, Cancelled);

        Assert.False(before);
        Assert.Equal(32, new FileInfo(store.Data.CredentialKey).Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(store.Data.CredentialKey));
        Assert.Equal(Secret, again?.Secret.Reveal());
    }

    [Fact]
    public async Task KeyThatCannotBeKept_SealsNothing()
    {
        await using var store = new TestStore();
        var credentials = await OpenAsync(store);
        Directory.CreateDirectory(store.Data.CredentialKey);

        await Assert.ThrowsAsync<StoreException>(() => credentials.CreateAsync("t", "custom", new Secret(Secret), ""));

        Assert.Empty(await RowsAsync(store));
    }

    [Fact]
    public async Task NewKey_SealsAnewWhatTheOldOneSealed_AfterWhichTheOldOneIsNotNeeded()
    {
        await using var store = new TestStore();
        var made = await (await OpenAsync(store, ("ASH_CREDENTIAL_KEY", First))).CreateAsync("t", "custom", new Secret(Secret), "");
        var before = Assert.Single(await RowsAsync(store));

        await OpenAsync(store, ("ASH_CREDENTIAL_KEY", Second), ("ASH_CREDENTIAL_KEY_PREVIOUS", $"unrelated,{First}"));
        var after = Assert.Single(await RowsAsync(store));
        var later = await (await OpenAsync(store, ("ASH_CREDENTIAL_KEY", Second))).OpenAsync("t", made.Id, Cancelled);

        Assert.NotEqual(before.KeyId, after.KeyId);
        Assert.NotEqual(before.Nonce, after.Nonce);
        Assert.Equal(Secret, later?.Secret.Reveal());
        Assert.False(File.Exists(store.Data.CredentialKey));
    }

    [Fact]
    public async Task FirstKeyOfTheOperator_TakesOverFromTheFile()
    {
        await using var store = new TestStore();
        var made = await (await OpenAsync(store)).CreateAsync("t", "custom", new Secret(Secret), "");

        await OpenAsync(store, ("ASH_CREDENTIAL_KEY", First));
        File.Delete(store.Data.CredentialKey);
        var later = await (await OpenAsync(store, ("ASH_CREDENTIAL_KEY", First))).OpenAsync("t", made.Id, Cancelled);

        Assert.Equal(Secret, later?.Secret.Reveal());
    }

    [Fact]
    public async Task WithoutItsKey_ACredentialStaysAsItIs_UntilTheKeyIsBack()
    {
        await using var store = new TestStore();
        var made = await (await OpenAsync(store, ("ASH_CREDENTIAL_KEY", First))).CreateAsync("t", "custom", new Secret(Secret), "");

        var without = await (await OpenAsync(store, ("ASH_CREDENTIAL_KEY", Second))).OpenAsync("t", made.Id, Cancelled);
        var back = await (await OpenAsync(store, ("ASH_CREDENTIAL_KEY", First))).OpenAsync("t", made.Id, Cancelled);

        Assert.Null(without);
        Assert.Equal(Secret, back?.Secret.Reveal());
    }

    [Fact]
    public async Task DamagedFileOfTheKey_IsNamed_AndNotReplaced()
    {
        await using var store = new TestStore();
        await File.WriteAllTextAsync(store.Data.CredentialKey, "short", Cancelled);

        var failure = await Assert.ThrowsAsync<IOException>(() => OpenAsync(store));

        Assert.Contains("credential.key is damaged", failure.Message, StringComparison.Ordinal);
        Assert.Equal("short", await File.ReadAllTextAsync(store.Data.CredentialKey, Cancelled));
    }

    /// <summary>The credentials as a server has them that was started with these settings.</summary>
    private static async Task<CredentialStore> OpenAsync(TestStore store, params (string Name, string Value)[] environment)
    {
        var credentials = new CredentialStore(
            new TestKeys.Contexts(store), store.Writer, TestKeys.Open(store, environment), TimeProvider.System, NullLogger<CredentialStore>.Instance);
        await credentials.StartAsync(Cancelled);
        return credentials;
    }

    private static async Task<List<CredentialRecord>> RowsAsync(TestStore store)
    {
        await using var db = store.Read();
        return await db.Credentials.ToListAsync(Cancelled);
    }
}
