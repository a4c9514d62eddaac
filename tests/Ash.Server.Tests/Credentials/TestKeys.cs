using Ash.Server.Configuration;
using Ash.Server.Credentials;
using Ash.Server.Storage;
using Ash.Server.Tests.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Credentials;

/// <summary>What seals and opens in a store, as a server has it that was started with certain settings.</summary>
internal static class TestKeys
{
    public static CredentialKeys Open(TestStore store, params (string Name, string Value)[] environment)
    {
        var settings = SettingsLoader.Load([], environment.ToDictionary(setting => setting.Name, setting => (string?)setting.Value), out var report);
        Assert.Empty(report.Errors);
        return new CredentialKeys(settings, store.Data);
    }

    /// <summary>Contexts that read a store.</summary>
    internal sealed class Contexts(TestStore store) : IDbContextFactory<AshDbContext>
    {
        public AshDbContext CreateDbContext() => store.Read();
    }
}
